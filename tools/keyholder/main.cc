// hourglass-keyholder: holds a PKCS#11 module or a TPM's connection, and the PIN, in a process of
// their own. hourglassd starts it.
#include <fcntl.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "hsm/keyholder/process/confinement.h"
#include "hsm/keyholder/worker/worker.h"
#include "tools/version/version.h"

int main(int argc, char** argv) {
  constexpr int kSigning = 3;
  // Not there where the service makes and destroys no keys.
  const int administration = fcntl(4, F_GETFD) >= 0 ? 4 : -1;
  if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
    std::puts(hourglass::VersionLine("hourglass-keyholder").c_str());
    return 0;
  }
  if (argc != 1) {
    std::fputs("hourglass-keyholder takes no arguments but --version: hourglassd starts it\n",
               stderr);
    return 2;
  }
  const absl::Status confined = hourglass::hsm::ConfineKeyholder(kSigning, administration);
  if (!confined.ok()) {
    std::fprintf(stderr, "hourglass-keyholder: %s\n", std::string(confined.message()).c_str());
    return 1;
  }
  hourglass::hsm::RunKeyholder(kSigning, administration);
}
