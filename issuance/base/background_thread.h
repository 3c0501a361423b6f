// Threads that get out of the way.
#ifndef HOURGLASS_ISSUANCE_BASE_BACKGROUND_THREAD_H_
#define HOURGLASS_ISSUANCE_BASE_BACKGROUND_THREAD_H_

namespace hourglass::issuance {

// Makes the calling thread one that others need not wait for, for as long as it lives: niceness 10,
// about a tenth of the weight of a thread that has none, and never in the way of one that wakes.
// What the system does not permit or know stays as it is.
void RunInBackground();

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_BASE_BACKGROUND_THREAD_H_
