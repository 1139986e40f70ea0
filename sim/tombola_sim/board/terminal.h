// A pseudo-terminal that passes bytes as they are.

#pragma once

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <termios.h>
#include <unistd.h>

class Terminal {
  public:
    Terminal() {
        ours = posix_openpt(O_RDWR | O_NOCTTY);
        if (ours < 0 || grantpt(ours) || unlockpt(ours)) fail("no pseudo-terminal");
        path = ptsname(ours);
        // Held open, so that a client may come and go.
        theirs = open(path.c_str(), O_RDWR | O_NOCTTY);
        if (theirs < 0) fail(path.c_str());
        termios settings;
        tcgetattr(theirs, &settings);
        cfmakeraw(&settings);
        tcsetattr(theirs, TCSANOW, &settings);
        fcntl(ours, F_SETFL, fcntl(ours, F_GETFL) | O_NONBLOCK);
    }

    // Bytes that a client wrote, at most `room`; 0 if there are none.
    size_t read(uint8_t *bytes, size_t room) {
        ssize_t count = ::read(ours, bytes, room);
        return count > 0 ? count : 0;
    }

    // A byte for the client; lost if nobody reads, as on a wire.
    void write(uint8_t byte) {
        while (::write(ours, &byte, 1) < 0 && errno == EINTR) {}
    }

    int descriptor() const { return ours; }

    std::string path;

  private:
    int ours, theirs;

    [[noreturn]] static void fail(const char *what) {
        perror(what);
        exit(1);
    }
};
