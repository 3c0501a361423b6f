// For whom a thread reads from a store.
#ifndef HOURGLASS_ISSUANCE_STORE_READING_H_
#define HOURGLASS_ISSUANCE_STORE_READING_H_

namespace hourglass::issuance {

// A store has connections for each, so that listings, however many and long, hold up nobody who
// issues or switches a root.
enum class Reading { kIssuing, kListing };

// Of the thread that asks; kIssuing unless it set another.
Reading ReadingOfThisThread();
void SetReadingOfThisThread(Reading reading);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_READING_H_
