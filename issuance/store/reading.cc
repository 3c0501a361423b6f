#include "issuance/store/reading.h"

namespace hourglass::issuance {
namespace {

thread_local Reading reading_of_this_thread = Reading::kIssuing;

}  // namespace

Reading ReadingOfThisThread() { return reading_of_this_thread; }

void SetReadingOfThisThread(Reading reading) { reading_of_this_thread = reading; }

}  // namespace hourglass::issuance
