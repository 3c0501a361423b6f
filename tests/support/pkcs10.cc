#include "tests/support/pkcs10.h"

#include <cstdio>
#include <cstdlib>

#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {

std::string MakePkcs10(const std::vector<std::string>& key_options,
                       const std::vector<std::string>& more_options) {
  const TemporaryDirectory directory;
  const std::string file = directory.File("request.der");
  std::vector<std::string> command = {"openssl", "req", "-new", "-nodes", "-subj", "/CN=ignored"};
  command.insert(command.end(), key_options.begin(), key_options.end());
  command.insert(command.end(), more_options.begin(), more_options.end());
  for (const std::string& word :
       {std::string("-keyout"), directory.File("key.pem"), std::string("-outform"),
        std::string("DER"), std::string("-out"), file}) {
    command.push_back(word);
  }
  const CommandResult result = RunCommand(command);
  if (result.exit_code != 0) {
    std::fprintf(stderr, "openssl req: %s\n", result.output.c_str());
    std::abort();
  }
  return ReadFileOrDie(file);
}

std::string MakeEcPkcs10() {
  return MakePkcs10({"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"});
}

}  // namespace hourglass
