// The compiled host link as a library: bytes in, bytes out, bus accesses by a function.

#include "link_sim.h"

struct Bus {
    uint32_t (*function)(uint32_t address, uint32_t data, bool write, uint64_t clock);

    uint32_t access(uint32_t address, uint32_t data, bool write, uint64_t clock) {
        return function(address, data, write, clock);
    }
};

using Pipe = LinkSim<Bus>;

extern "C" {
Pipe *pipe_new(decltype(Bus::function) function) {
    Pipe *pipe = new Pipe;
    pipe->bus.function = function;
    return pipe;
}

void pipe_send(Pipe *pipe, const uint8_t *bytes, uint32_t count) {
    pipe->send(Bytes(bytes, bytes + count));
}

// Runs until this clock, or until a byte has come; the clock it is then.
uint64_t pipe_run(Pipe *pipe, uint64_t until) {
    while (pipe->clocks < until && pipe->received.empty()) pipe->clock();
    return pipe->clocks;
}

uint32_t pipe_take(Pipe *pipe, uint8_t *bytes, uint32_t room) {
    uint32_t count = pipe->received.size() < room ? pipe->received.size() : room;
    for (uint32_t i = 0; i < count; i++) bytes[i] = pipe->received[i];
    pipe->received.erase(pipe->received.begin(), pipe->received.begin() + count);
    return count;
}
}
