// Signals that nobody sends to end a process, and that would end it all the same.
#ifndef HOURGLASS_HSM_BASE_SIGNALS_H_
#define HOURGLASS_HSM_BASE_SIGNALS_H_

#include <signal.h>

#include <string>
#include <vector>

namespace hourglass {

// SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT and the
// real-time signals: their default is the end of the process (signal(7)), and programs, terminals
// and people send them for other reasons. Not SIGINT, SIGTERM, SIGQUIT, SIGXCPU and what a fault
// raises.
std::vector<int> StraySignals();

// Blocks the stray signals in this thread and in those that it makes later, and gives each a
// handler that does nothing, so that none ends the process whatever a library does to masks; those
// that something handles already stay as they are. Returns which were blocked, for sigwaitinfo or a
// signalfd. What this process starts must be given default dispositions and an empty mask. To be
// called before other threads are made.
sigset_t BlockStraySignals();

// `SIGHUP`, `SIGRTMIN+3`.
std::string SignalName(int number);

// How a process ended, by its status from wait(2): `exited with 1`, `killed by SIGSEGV`.
std::string ProcessEnding(int status);

}  // namespace hourglass

#endif  // HOURGLASS_HSM_BASE_SIGNALS_H_
