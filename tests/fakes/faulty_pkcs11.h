// A faulty_pkcs11.so of the test's own (see README.md), put into and out of faults while programs
// use it.
#ifndef HOURGLASS_TESTS_FAKES_FAULTY_PKCS11_H_
#define HOURGLASS_TESTS_FAKES_FAULTY_PKCS11_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {

// Each object is another copy of the library with a script and counts beside it, so that several
// tokens of one test can have faults of their own, in this process and in all that it starts. The
// test's BUILD rule must name //tests/fakes:faulty_pkcs11.so in `data`. Safe to call from several
// threads but for Set and Clear.
class FaultyPkcs11 {
 public:
  static constexpr char kLibrary[] = "tests/fakes/faulty_pkcs11.so";

  // Without a fault. Ends the process if the library is not there.
  explicit FaultyPkcs11(absl::string_view real_module = SofthsmToken::kModulePath);
  FaultyPkcs11(const FaultyPkcs11&) = delete;
  FaultyPkcs11& operator=(const FaultyPkcs11&) = delete;

  // To be loaded instead of the real module. A file of its own, which a test may remove or replace.
  const std::string& module_path() const { return module_path_; }
  // `token_uri`, which names the real module, with this one in its place.
  std::string Through(absl::string_view token_uri) const;

  // From now on these lines of a script are in force, and no others: every call that begins after
  // this one returns meets them, in every process, and counts anew. Ends the process where one is
  // not understood.
  void Set(const std::vector<std::string>& lines);
  void Clear() { Set({}); }

  // How often `function` (`C_Login`, or `*`: any) was called since this object was made, over all
  // processes.
  std::uint64_t Count(absl::string_view function) const;

  // The numbers of the processes that loaded the module so far, in their order, whether or not they
  // still run.
  std::vector<int> Processes() const;

  // The numbers of the processes in which a call hung, once a call, whether or not they still run.
  std::vector<int> Hanging() const;

 private:
  std::vector<int> ProcessesOf(absl::string_view list) const;

  TemporaryDirectory directory_;
  std::string real_module_;
  std::string module_path_;
  std::int64_t written_ = 0;  // when the script was, in nanoseconds since 1970
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_FAKES_FAULTY_PKCS11_H_
