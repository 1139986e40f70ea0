// The host link, compiled from its hardware description, between a serial line and a bus.
//
// DIVISOR is the link's. A bus is anything with `uint32_t access(address, data, write, clock)`.

#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "link.h"

using Bytes = std::vector<uint8_t>;

template <typename Bus>
struct LinkSim {
    Bus bus;
    Bytes received;
    uint64_t clocks = 0;

    LinkSim() { link.p_rx.set<bool>(true); }

    void send(const Bytes &bytes) { to_send.insert(to_send.end(), bytes.begin(), bytes.end()); }

    bool sending() const { return sent_clock || !to_send.empty(); }

    void clock() {
        drive();
        link.p_requests____ready.set<bool>(!answering);
        link.p_clk.set<bool>(false);
        link.step();
        bool request = !answering && link.p_requests____valid.template get<bool>();
        bool taken = answering && link.p_responses____ready.template get<bool>();
        // Address in bits 23..0, data in 55..24, write in 56.
        uint64_t payload = link.p_requests____payload.template get<uint64_t>();
        bool tx = link.p_tx.template get<bool>();
        link.p_clk.set<bool>(true);
        link.step();
        clocks++;
        if (taken) answering = false;
        if (request) {
            bool write = payload >> 56 & 1;
            uint32_t word = bus.access(payload & 0xFFFFFF, payload >> 24, write, clocks);
            answering = !write;
            link.p_responses____payload.template set<uint32_t>(word);
        }
        link.p_responses____valid.set<bool>(answering);
        listen(tx);
    }

  private:
    cxxrtl_design::p_link link;
    std::deque<uint8_t> to_send;
    unsigned sent_clock = 0;  // of the byte being sent, from 1; 0 between bytes
    bool answering = false;
    int heard_clock = -1;  // of the byte being received
    unsigned levels = 0;
    uint16_t shift = 0;

    void drive() {
        if (!sent_clock && to_send.empty()) return;
        unsigned bit = sent_clock++ / DIVISOR;
        link.p_rx.set<bool>(bit == 0 ? false : bit == 9 ? true : to_send[0] >> (bit - 1) & 1);
        if (sent_clock == 10 * DIVISOR) to_send.pop_front(), sent_clock = 0;
    }

    void listen(bool tx) {
        if (heard_clock < 0) {
            if (!tx) heard_clock = 0, levels = 0, shift = 0;
            return;
        }
        if (++heard_clock % DIVISOR != DIVISOR / 2) return;
        if (++levels == 10) {
            received.push_back(shift >> 1);
            heard_clock = -1;
        } else {
            shift |= static_cast<uint16_t>(tx) << (levels - 1);
        }
    }
};
