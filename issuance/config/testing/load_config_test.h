// What the tests of the files that a configuration names stand on.
#ifndef HOURGLASS_ISSUANCE_CONFIG_TESTING_LOAD_CONFIG_TEST_H_
#define HOURGLASS_ISSUANCE_CONFIG_TESTING_LOAD_CONFIG_TEST_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "issuance/base/clock.h"
#include "issuance/config/config.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {

// A folder with a sound configuration and all that it names.
class LoadConfigTest : public testing::Test {
 protected:
  LoadConfigTest() {
    MakeCertificate("server");
    MakeCertificate("clients");
    for (const char* folder : {"data", "keys", "policies"}) {
      std::filesystem::create_directory(directory_.File(folder));
    }
    WriteSecret("pin", "1234\n");
    WriteProgram("keyholder");
    file_ = directory_.Write("h.yaml", absl::StrCat(R"(listen: 127.0.0.1:0
address_file: data/address
data_directory: data
tls:
  certificate: server.pem
  private_key: server.key
  trusted_roots: clients.pem
callers:
  - {name: broker, identity: "dns:broker.local", roles: [broker], tenants: [contoso]}
keys:
  tokens: ['pkcs11:token=a?module-path=/m.so&pin-source=file:)",
                                                    directory_.File("pin"), R"(']
  keyholder: keyholder
  software_directory: keys
compliance:
  embedded: {policy_directory: policies}
)"));
  }

  void MakeCertificate(const std::string& name) {
    const CommandResult result = RunCommand(
        {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:localhost", "-keyout",
         directory_.File(name + ".key"), "-out", directory_.File(name + ".pem")});
    ASSERT_EQ(result.exit_code, 0) << result.output;
    chmod(directory_.File(name + ".key").c_str(), 0600);
  }

  void WriteProgram(const std::string& name) {
    chmod(directory_.Write(name, "#!/bin/sh\n").c_str(), 0755);
  }

  void WriteSecret(const std::string& name, const std::string& content) {
    chmod(directory_.Write(name, content).c_str(), 0600);
  }

  void Replace(const std::string& from, const std::string& to) {
    const std::string text = ReadFileOrDie(file_);
    ASSERT_THAT(text, testing::HasSubstr(from));
    directory_.Write("h.yaml", absl::StrReplaceAll(text, {{from, to}}));
  }

  // What LoadConfig says, without the file's path.
  std::string Mistakes(FileChecks checks = FileChecks::kStart) {
    const auto config = LoadConfig(file_, checks, SystemClock().Now());
    EXPECT_THAT(config, FailsWith(ErrorReason::kConfigurationInvalid));
    std::string said(config.status().message());
    for (std::size_t at; (at = said.find(file_)) != std::string::npos;) {
      said.replace(at, file_.size(), "FILE");
    }
    return said;
  }

  TemporaryDirectory directory_;
  std::string file_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CONFIG_TESTING_LOAD_CONFIG_TEST_H_
