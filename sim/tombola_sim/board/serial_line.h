// Both ends of a serial line: 1 start bit, 8 data bits lowest first, 1 stop bit.

#pragma once

#include <cstdint>
#include <deque>

class Sender {
  public:
    explicit Sender(unsigned divisor) : divisor(divisor) {}

    void send(uint8_t byte) { waiting.push_back(byte); }
    bool idle() const { return frame == 0 && waiting.empty(); }

    // The level of the line in this clock; a byte follows the one before it without a pause.
    bool clock() {
        if (frame == 0) {
            if (waiting.empty()) return true;
            frame = 1u << 9 | waiting.front() << 1;
            waiting.pop_front();
            bits = 10;
            left = divisor;
        }
        bool level = frame & 1;
        if (--left == 0) {
            left = divisor;
            frame = --bits ? frame >> 1 : 0;
        }
        return level;
    }

  private:
    const unsigned divisor;
    std::deque<uint8_t> waiting;
    unsigned frame = 0;  // what is left of the byte on the line; the stop bit keeps it from being 0
    unsigned bits = 0;
    unsigned left = 0;  // clocks of the bit
};

class Receiver {
  public:
    explicit Receiver(unsigned divisor) : divisor(divisor) {}

    bool idle() const { return left == 0; }

    // Whether the level in this clock completes a byte; one without a stop bit is dropped.
    bool clock(bool level) {
        if (left == 0) {
            if (!level) {
                bits = 0;
                left = divisor / 2 + divisor % 2;  // to the middle of the start bit
            }
            return false;
        }
        if (--left) return false;
        if (bits == 0 ? level : bits == 9) return bits == 9 && level;
        if (bits++) byte = byte >> 1 | level << 7;
        left = divisor;
        return false;
    }

    uint8_t byte = 0;

  private:
    const unsigned divisor;
    unsigned left = 0;  // clocks to the middle of a bit, 0 if the line is idle
    unsigned bits = 0;  // seen, the start bit counted
};
