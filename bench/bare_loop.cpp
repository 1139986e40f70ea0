// The plain loop that a Verilated engine is measured against: clock up, clock down, nothing else.
//
// Arguments: a file of steps as `tombola_sim.script` makes them, the number of steps that load the
// ticket, and a file for the words that are read after that (32 bits, lowest byte first). Prints the
// clocks after that, their seconds, and their seconds of the processor.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <vector>

#include "Vtop.h"

using Clock = std::chrono::steady_clock;

class Loop {
  public:
    Loop() {
        engine.responses___05Fready = 1;
        engine.rst = 1;
        for (int i = 0; i < 4; i++) clock();
        engine.rst = 0;
    }

    void run(uint64_t step) {
        if (step >> 56 == WAIT) {
            for (int i = 0; i < SETTLE; i++) clock();
            while (engine.busy) clock();
            return;
        }
        uint64_t write = step >> 56 == WRITE;
        engine.requests___05Fvalid = 1;
        engine.requests___05Fpayload =
            write << 56 | (step & 0xFFFFFFFF) << 24 | (step >> 32 & 0xFFFFFF);
        engine.eval();
        while (!engine.requests___05Fready) clock();
        clock();
        engine.requests___05Fvalid = 0;
        if (!write)
            for (size_t want = words.size() + 1; words.size() < want;) clock();
    }

    uint64_t clocks = 0;
    std::vector<uint32_t> words;

  private:
    static constexpr int WRITE = 1, WAIT = 2, SETTLE = 16;

    void clock() {
        if (engine.responses___05Fvalid) words.push_back(engine.responses___05Fpayload);
        engine.clk = 1;
        engine.eval();
        engine.clk = 0;
        engine.eval();
        clocks++;
    }

    Vtop engine;
};

int main(int, char **arguments) {
    std::ifstream file(arguments[1], std::ios::binary);
    std::vector<char> bytes(std::istreambuf_iterator<char>(file), {});
    std::vector<uint64_t> steps(bytes.size() / 8);
    for (size_t i = 0; i < bytes.size(); i++) steps[i / 8] = steps[i / 8] << 8 | uint8_t(bytes[i]);
    Loop loop;
    size_t next = 0;
    while (next < strtoull(arguments[2], nullptr, 10)) loop.run(steps[next++]);
    uint64_t loaded = loop.clocks;
    loop.words.clear();
    auto began = Clock::now();
    std::clock_t worked = std::clock();
    while (next < steps.size()) loop.run(steps[next++]);
    double processor = double(std::clock() - worked) / CLOCKS_PER_SEC;
    double seconds = std::chrono::duration<double>(Clock::now() - began).count();
    std::ofstream(arguments[3], std::ios::binary)
        .write(reinterpret_cast<char *>(loop.words.data()), loop.words.size() * 4);
    printf("%llu %.6f %.6f\n", (unsigned long long)(loop.clocks - loaded), seconds, processor);
    return 0;
}
