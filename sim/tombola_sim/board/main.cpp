// A board behind a pseudo-terminal: its top level as Verilator made it, clock by clock.
//
// Arguments: the engine's clock in Hz, clocks a bit of the serial line, and clocks after which a
// board without run and without bytes is at rest. Prints the path of the terminal, then that of a
// file with `Numbers`, and runs until it is ended, its reader or its parent is gone. At rest the
// model is not evaluated; the board's time then goes with the host's.

#include <chrono>
#include <csignal>

#include "Vtop.h"
#include "report.h"
#include "serial_line.h"
#include "terminal.h"

using Time = std::chrono::steady_clock;

static constexpr auto LOOK = std::chrono::milliseconds(200);  // between looks at the parent

static volatile sig_atomic_t ended;

static void end(int) { ended = 1; }

class Board {
  public:
    Board(uint64_t clock_hz, unsigned divisor, uint64_t settle)
        : settle(settle), sender(divisor), receiver(divisor), report(clock_hz, divisor) {
        // Nobody is quick enough to speak to a board that is still in its reset.
        while (simulated < clock_hz / 1000) run();
        tell();
        printf("%s\n%s\n", terminal.path.c_str(), report.path.c_str());
        fflush(stdout);
    }

    // Simulates for a while, or waits if the board is at rest.
    void step() {
        uint8_t bytes[256];
        size_t count = terminal.read(bytes, sizeof bytes);
        for (size_t i = 0; i < count; i++) sender.send(bytes[i]);
        if (!sender.idle() || !receiver.idle() || model.busy) rests_at = simulated + settle;
        if (simulated < rests_at)
            run();
        else
            rest();
        tell();
    }

  private:
    static constexpr unsigned CLOCKS = 64;  // between looks at the terminal: 2.7 us at 24 MHz
    // Less than a host's shortest patience: a look at the clock is never older than this.
    static constexpr int REST_MILLISECONDS = 4;

    void run() {
        for (unsigned i = 0; i < CLOCKS; i++) {
            model.rx = sender.clock();
            model.clock = 0;
            model.eval();
            model.clock = 1;
            model.eval();
            if (receiver.clock(model.tx)) terminal.write(receiver.byte);
        }
        simulated += CLOCKS;
    }

    void rest() {
        pollfd input{terminal.descriptor(), POLLIN, 0};
        if (poll(&input, 1, REST_MILLISECONDS) == 0)
            rested += report.numbers->clock_hz * REST_MILLISECONDS / 1000;
    }

    void tell() {
        report.numbers->lamps = model.lamps;
        report.numbers->simulated = simulated;
        report.numbers->clocks = simulated + rested;
    }

    const uint64_t settle;
    uint64_t simulated = 0, rested = 0, rests_at = settle;
    Sender sender;
    Receiver receiver;
    Terminal terminal;
    Report report;
    Vtop model;
};

// Nobody is left who could use the board.
static bool abandoned(pid_t parent) {
    pollfd output{STDOUT_FILENO, 0, 0};
    poll(&output, 1, 0);
    return getppid() != parent || (output.revents & (POLLERR | POLLNVAL));
}

int main(int, char **arguments) {
    struct sigaction action {};
    action.sa_handler = end;
    for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaction(signal, &action, nullptr);
    signal(SIGPIPE, SIG_IGN);
    pid_t parent = getppid();
    Board board(atoll(arguments[1]), atoi(arguments[2]), atoll(arguments[3]));
    auto looked = Time::now();
    while (!ended) {
        board.step();
        if (Time::now() - looked < LOOK) continue;
        looked = Time::now();
        if (abandoned(parent)) break;
    }
    return 0;
}
