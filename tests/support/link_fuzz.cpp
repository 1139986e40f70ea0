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

#include "link_sim.h"

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

struct Memory {
    std::vector<uint32_t> words = std::vector<uint32_t>(256);
    uint64_t writes = 0;

    uint32_t access(uint32_t address, uint32_t, bool write, uint64_t) {
        writes += write;
        return words[address % words.size()];
    }
};

struct Bench : LinkSim<Memory> {
    void wait(unsigned count) {
        while (count--) clock();
    }

    void say(const Bytes &bytes) {
        send(bytes);
        while (sending()) clock();
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
    std::vector<uint32_t> &memory = bench.bus.words;
    for (uint32_t &word : memory) word = draw(1u << 31);
    bench.wait(20);
    uint8_t sequence = 0;
    bench.say(frame(sequence, 5, {9, 6}));
    bench.wait(20 * 10 * DIVISOR);
    if (bench.received.size() != 8) return fail(bench, "no answer to RESET", 0, {});
    bench.bus.writes = 0;
    for (int string = 0; string < strings; string++) {
        bench.received.clear();
        Bytes bytes = damaged(sequence + 1);
        bench.say(bytes);
        bench.wait(2 * TIMEOUT);
        if (!bench.received.empty()) return fail(bench, "was answered", string, bytes);
        if (bench.bus.writes) return fail(bench, "wrote a word", string, bytes);
        uint32_t address = draw(memory.size() - 3), count = 1 + draw(3);
        bench.say(frame(++sequence, 2, {address, count}));
        std::vector<uint32_t> words(memory.begin() + address, memory.begin() + address + count);
        Bytes expected = frame(sequence, 0x82, words);
        bench.wait((expected.size() + 4) * 10 * DIVISOR);
        if (bench.received != expected)
            return fail(bench, "the next request was not answered", string, bytes);
    }
    printf("%d strings, %llu clocks\n", strings, static_cast<unsigned long long>(bench.clocks));
    return 0;
}
