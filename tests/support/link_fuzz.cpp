// Random byte strings at the host link, compiled from its hardware description.
//
// Arguments: seed, number of strings. After each string no word of the bus's memory has changed,
// nothing was answered, and the next sound request is answered as it should be. DIVISOR and TIMEOUT
// are those of the link.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "link.h"

using Bytes = std::vector<uint8_t>;

static uint64_t state;

static uint32_t draw(uint32_t below) {  // xorshift64*
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    return static_cast<uint32_t>((state * 2685821657736338717ull) >> 33) % below;
}

static uint32_t crc32(const Bytes &bytes, size_t from) {
    uint32_t crc = ~0u;
    for (size_t i = from; i < bytes.size(); i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static void add_word(Bytes &bytes, uint32_t word) {
    for (int i = 0; i < 4; i++) bytes.push_back(word >> 8 * i);
}

static Bytes frame(uint8_t sequence, uint8_t command, const std::vector<uint32_t> &words) {
    Bytes bytes{0x54, sequence, command, static_cast<uint8_t>(words.size())};
    for (uint32_t word : words) add_word(bytes, word);
    add_word(bytes, crc32(bytes, 1));
    return bytes;
}

struct Bench {
    static constexpr uint32_t WORDS = 256;
    cxxrtl_design::p_link link;
    std::vector<uint32_t> memory = std::vector<uint32_t>(WORDS);
    uint64_t writes = 0, clocks = 0;
    bool answering = false;
    Bytes received;
    int bit_clock = -1;
    unsigned level_count = 0;
    uint16_t shift = 0;

    void clock() {
        link.p_requests____ready.set<bool>(!answering);
        link.p_clk.set<bool>(false);
        link.step();
        bool request = !answering && link.p_requests____valid.get<bool>();
        bool taken = answering && link.p_responses____ready.get<bool>();
        // Address in bits 23..0, data in 55..24, write in 56.
        uint64_t payload = link.p_requests____payload.get<uint64_t>();
        bool tx = link.p_tx.get<bool>();
        link.p_clk.set<bool>(true);
        link.step();
        clocks++;
        if (taken) answering = false;
        if (request) {
            uint32_t address = payload & 0xFFFFFF;
            if (payload >> 56 & 1) {
                writes++;
            } else {
                answering = true;
                link.p_responses____payload.set<uint32_t>(memory[address % WORDS]);
            }
        }
        link.p_responses____valid.set<bool>(answering);
        listen(tx);
    }

    void listen(bool tx) {
        if (bit_clock < 0) {
            if (!tx) bit_clock = 0, level_count = 0, shift = 0;
            return;
        }
        if (++bit_clock % DIVISOR != DIVISOR / 2) return;
        if (level_count++ == 9 || (level_count == 1 && tx)) {
            if (level_count == 10) received.push_back(shift >> 1);
            bit_clock = -1;
            return;
        }
        shift |= static_cast<uint16_t>(tx) << (level_count - 1);
    }

    void send(const Bytes &bytes) {
        for (uint8_t byte : bytes)
            for (int bit = 0; bit < 10; bit++) {
                link.p_rx.set<bool>(bit == 0 ? false : bit == 9 ? true : byte >> (bit - 1) & 1);
                for (int i = 0; i < DIVISOR; i++) clock();
            }
    }

    void wait(unsigned count) {
        while (count--) clock();
    }
};

static Bytes damaged(uint8_t sequence) {
    Bytes original, bytes;
    if (draw(3) == 0) {
        for (uint32_t left = 1 + draw(40); left; left--)
            bytes.push_back(draw(6) ? draw(256) : 0x54);
        return bytes;
    }
    std::vector<uint32_t> words;
    for (uint32_t left = draw(7); left; left--) words.push_back(draw(2) ? draw(1u << 31) : draw(300));
    original = bytes = frame(sequence, draw(4) ? 1 + draw(6) : draw(256), words);
    while (std::search(bytes.begin(), bytes.end(), original.begin(), original.end()) != bytes.end())
        for (uint32_t left = 1 + draw(3); left && !bytes.empty(); left--) {
            uint32_t place = draw(bytes.size());
            switch (draw(4)) {
                case 0: bytes[place] ^= 1 << draw(8); break;
                case 1: bytes.insert(bytes.begin() + place, bytes[place]); break;
                case 2: bytes.resize(place); break;
                default: bytes.erase(bytes.begin() + place);
            }
        }
    return bytes;
}

static int fail(const Bench &bench, const char *what, int string, const Bytes &bytes) {
    printf("string %d: %s:", string, what);
    for (uint8_t byte : bytes) printf(" %02x", byte);
    printf("\nreceived:");
    for (uint8_t byte : bench.received) printf(" %02x", byte);
    printf("\n");
    return 1;
}

int main(int, char **arguments) {
    state = strtoull(arguments[1], nullptr, 10) * 2 + 1;
    int strings = atoi(arguments[2]);
    Bench bench;
    for (uint32_t &word : bench.memory) word = draw(1u << 31);
    std::vector<uint32_t> before = bench.memory;
    bench.link.p_rx.set<bool>(true);
    bench.wait(20);
    uint8_t sequence = 0;
    bench.send(frame(sequence, 5, {9, 6}));
    bench.wait(20 * 10 * DIVISOR);
    if (bench.received.size() != 8) return fail(bench, "no answer to RESET", 0, {});
    bench.writes = 0;
    for (int string = 0; string < strings; string++) {
        bench.received.clear();
        Bytes bytes = damaged(sequence + 1);
        bench.send(bytes);
        bench.wait(2 * TIMEOUT);
        if (!bench.received.empty()) return fail(bench, "was answered", string, bytes);
        if (bench.writes) return fail(bench, "wrote a word", string, bytes);
        uint32_t address = draw(Bench::WORDS - 3), count = 1 + draw(3);
        bench.send(frame(++sequence, 2, {address, count}));
        std::vector<uint32_t> words(before.begin() + address, before.begin() + address + count);
        Bytes expected = frame(sequence, 0x82, words);
        bench.wait((expected.size() + 4) * 10 * DIVISOR);
        if (bench.received != expected)
            return fail(bench, "the next request was not answered", string, bytes);
    }
    printf("%d strings, %llu clocks\n", strings, static_cast<unsigned long long>(bench.clocks));
    return 0;
}
