// What others may know of a running simulation, in a file that they map: no part of the board.

#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

struct Numbers {
    uint64_t clock_hz;   // of the engine
    uint64_t divisor;    // clocks a bit of the serial line
    uint64_t clocks;     // of the board since power-up
    uint64_t simulated;  // of these; in the others nothing changed but the time
    uint64_t lamps;      // bit 0: the first one is lit
};

class Report {
  public:
    Report(uint64_t clock_hz, unsigned divisor) {
        const char *folder = getenv("TMPDIR");
        path = std::string(folder && *folder ? folder : "/tmp") + "/tombola-board-XXXXXX";
        int file = mkstemp(path.data());
        void *place = MAP_FAILED;
        if (file >= 0 && ftruncate(file, sizeof(Numbers)) == 0)
            place = mmap(nullptr, sizeof(Numbers), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (place == MAP_FAILED) {
            perror(path.c_str());
            exit(1);
        }
        close(file);
        numbers = static_cast<volatile Numbers *>(place);
        numbers->clock_hz = clock_hz;
        numbers->divisor = divisor;
    }

    ~Report() { unlink(path.c_str()); }

    std::string path;
    volatile Numbers *numbers;
};
