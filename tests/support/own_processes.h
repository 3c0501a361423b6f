// Keeps what a test starts from outliving it.
#ifndef HOURGLASS_TESTS_SUPPORT_OWN_PROCESSES_H_
#define HOURGLASS_TESTS_SUPPORT_OWN_PROCESSES_H_

#include <string>

namespace hourglass {

// Goes on in a process namespace and a mount namespace of its own: whatever is started from then on
// ends with this test, and its mounts with it, however the test ends, by SIGKILL too. The process
// that was started waits for the one that goes on, and ends as it does. To be called before there
// are threads or children; once, later calls do nothing. "", or why it is not so: no rights.
std::string KeepProcessesTogether();

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_OWN_PROCESSES_H_
