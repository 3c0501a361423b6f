// What a process has said that is about to crash.
#ifndef HOURGLASS_ISSUANCE_LOG_LAST_WORDS_H_
#define HOURGLASS_ISSUANCE_LOG_LAST_WORDS_H_

namespace hourglass::issuance {

// For a process whose descriptor 2 is a pipe that it reads itself, at `read`, which does not block:
// when SIGABRT, SIGSEGV, SIGBUS, SIGFPE or SIGILL comes, lets the reader finish for a
// second, writes what is left in the pipe (64 KiB at most) to `real` as far as that takes it at
// once, and lets the signal do what it does. Sanitizers' reports go to `real` directly. Not for
// several threads at once.
void LastWordsGoTo(int real, int read);

// Undoes it.
void LastWordsGoNowhere();

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_LOG_LAST_WORDS_H_
