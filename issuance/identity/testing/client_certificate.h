// Client certificates made by the OpenSSL CLI.
#ifndef HOURGLASS_ISSUANCE_IDENTITY_TESTING_CLIENT_CERTIFICATE_H_
#define HOURGLASS_ISSUANCE_IDENTITY_TESTING_CLIENT_CERTIFICATE_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {

// What it says.
inline std::string Openssl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "openssl");
  const CommandResult result = RunCommand(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  return result.output;
}

// A self-signed certificate of the OpenSSL CLI, PEM; `alternative_names` as in its configuration,
// empty for none; `more` are options of `openssl req`.
inline std::string Certificate(const std::string& alternative_names,
                               const std::string& cn = "client",
                               const std::vector<std::string>& more = {}) {
  const TemporaryDirectory directory;
  std::vector<std::string> command = {"req",
                                      "-x509",
                                      "-newkey",
                                      "ec",
                                      "-pkeyopt",
                                      "ec_paramgen_curve:P-256",
                                      "-nodes",
                                      "-keyout",
                                      directory.File("key"),
                                      "-out",
                                      directory.File("certificate"),
                                      "-subj",
                                      "/CN=" + cn,
                                      "-days",
                                      "1"};
  if (!alternative_names.empty()) {
    command.insert(command.end(), {"-addext", "subjectAltName=" + alternative_names});
  }
  command.insert(command.end(), more.begin(), more.end());
  Openssl(command);
  return ReadFileOrDie(directory.File("certificate"));
}

// As the OpenSSL CLI says it: 64 hexadecimal digits in capitals.
inline std::string Sha256Of(const std::string& pem) {
  const TemporaryDirectory directory;
  const std::string said =
      Openssl({"x509", "-in", directory.Write("pem", pem), "-noout", "-fingerprint", "-sha256"});
  const std::string digits = said.substr(said.find('=') + 1);
  return absl::StrReplaceAll(digits, {{":", ""}, {"\n", ""}});
}

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_IDENTITY_TESTING_CLIENT_CERTIFICATE_H_
