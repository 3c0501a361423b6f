// A configuration that cannot be served with: said by --check and by the start alike, with the
// file and the reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/support/daemon.h"
#include "tests/support/subprocess.h"

namespace hourglass {
namespace {

using testing::HasSubstr;

class MisconfigurationTest : public testing::Test {
 protected:
  MisconfigurationTest() { mkdir(File("keys").c_str(), 0700); }

  std::string File(const std::string& name) const { return daemon_.directory().File(name); }

  CommandResult Check(const std::string& file) {
    return RunCommand({Daemon::kProgram, "--config", file, "--check"});
  }

  // What both say of the configuration with `from` replaced by `to`.
  void ExpectRefused(const std::string& from, const std::string& to, const std::string& why) {
    const std::string sound = ReadFileOrDie(daemon_.config_file());
    EXPECT_EQ(Check(daemon_.config_file()).exit_code, 0);
    ASSERT_THAT(sound, HasSubstr(from));
    daemon_.directory().Write("hourglassd.yaml", absl::StrReplaceAll(sound, {{from, to}}));
    const CommandResult checked = Check(daemon_.config_file());
    EXPECT_EQ(checked.exit_code, 1);
    EXPECT_THAT(checked.output, HasSubstr(why));
    const CommandResult started = RunCommand({Daemon::kProgram, "--config", daemon_.config_file()});
    EXPECT_EQ(started.exit_code, 1);
    EXPECT_THAT(started.output, HasSubstr(why));
    daemon_.directory().Write("hourglassd.yaml", sound);
  }

  Daemon daemon_;
};

TEST_F(MisconfigurationTest, IsRefusedByCheckAndByTheStart) {
  daemon_.Configure("{software_directory: keys}", daemon_.data_directory());
  ExpectRefused("listen: 127.0.0.1:0", "listen: 240.0.0.1:0",
                "cannot listen on 240.0.0.1:0: Cannot assign requested address");
  const TlsCredential client = daemon_.CredentialOf(kBroker);
  const TlsCredential server = daemon_.tls().Server();
  daemon_.Configure("{software_directory: keys}", daemon_.data_directory());
  const std::string text = ReadFileOrDie(daemon_.config_file());
  const auto value_of = [&text](const std::string& field) {
    const std::size_t at = text.find(field) + field.size();
    return text.substr(at, text.find('\n', at) - at);
  };
  const std::string certificate = value_of("certificate: ");
  const std::string private_key = value_of("private_key: ");
  ExpectRefused(absl::StrCat(certificate, "\n  private_key: ", private_key),
                absl::StrCat(client.certificate_file, "\n  private_key: ", client.private_key_file),
                "tls.certificate: is for clients only: its extendedKeyUsage lacks serverAuth");
  ExpectRefused(absl::StrCat("trusted_roots: ", daemon_.tls().trusted_roots_file()),
                absl::StrCat("trusted_roots: ", server.certificate_file),
                "tls.trusted_roots: is of no authority");
  ExpectRefused("software_directory: keys", "software_directory: none",
                "keys.software_directory: cannot be used: No such file or directory");
  chmod(File("policies").c_str(), 0777);
  EXPECT_THAT(Check(daemon_.config_file()).output,
              HasSubstr(absl::StrCat("may be changed by others: ", File("policies"))));
}

// As people call it who are in the folder.
TEST_F(MisconfigurationTest, IsNotARelativeNameOfASoundOne) {
  daemon_.Configure("{software_directory: keys}", daemon_.data_directory());
  const std::string program = std::filesystem::absolute(Daemon::kProgram);
  const std::string in_folder = absl::StrCat("cd ", daemon_.directory().path(), " && exec ",
                                             program, " --config hourglassd.yaml");
  const CommandResult checked = RunCommand({"bash", "-c", in_folder + " --check"});
  EXPECT_EQ(checked.exit_code, 0) << checked.output;
  EXPECT_TRUE(daemon_.Start({"bash", "-c", in_folder, "bash"})) << daemon_.Log();
  EXPECT_EQ(daemon_.Stop(), 0);
}

// What root may read says nothing of what the service's account may.
TEST_F(MisconfigurationTest, CheckByRootIsAsTheOwnerOfTheData) {
  constexpr uid_t kAccount = 4711;
  // Takes root, and a user namespace that knows other users; Bazel's sandbox does not.
  if (chown(daemon_.directory().Write("probe", "").c_str(), kAccount, kAccount) != 0) GTEST_SKIP();
  char folder[] = "/tmp/hourglass-check.XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  std::filesystem::copy(daemon_.directory().path(), folder,
                        std::filesystem::copy_options::recursive);
  const std::string yaml = absl::StrCat(folder, "/hourglassd.yaml");
  std::string text = absl::StrReplaceAll(ReadFileOrDie(daemon_.config_file()),
                                         {{daemon_.directory().path(), std::string(folder)}});
  const std::size_t keys = text.find("keys: ");
  text.replace(keys, text.find('\n', keys) - keys, "keys: {software_directory: keys}");
  const TlsCredential server = daemon_.tls().Server();
  const std::string tls = absl::StrCat(folder, "/tls");
  std::filesystem::create_directory(tls);
  const auto take = [&](const std::string& from, const std::string& name) {
    std::filesystem::copy_file(from, absl::StrCat(tls, "/", name));
  };
  take(server.certificate_file, "server.pem");
  take(server.private_key_file, "server.key");
  take(daemon_.tls().trusted_roots_file(), "clients.pem");
  const std::size_t begin = text.find("tls:\n"), end = text.find("keys: ");
  text.replace(begin, end - begin,
               "tls: {certificate: tls/server.pem, private_key: tls/server.key, trusted_roots: "
               "tls/clients.pem}\n");
  std::ofstream(yaml) << text;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    ASSERT_EQ(lchown(entry.path().c_str(), kAccount, kAccount), 0);
  }
  ASSERT_EQ(chown(folder, kAccount, kAccount), 0);
  const CommandResult sound = Check(yaml);
  EXPECT_EQ(sound.exit_code, 0) << sound.output;
  EXPECT_THAT(sound.output, HasSubstr("checking as 4711, who owns data_directory"));
  ASSERT_EQ(chown(absl::StrCat(tls, "/server.key").c_str(), 0, 0), 0);
  EXPECT_THAT(Check(yaml).output, HasSubstr("tls.private_key: cannot be read: Permission denied"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace hourglass
