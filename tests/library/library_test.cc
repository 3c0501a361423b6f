// The library in other people's hands: installed into a prefix, found by CMake and pkg-config, and
// the examples of the documentation built and run with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <sstream>
#include <string>
#include <vector>

#include "tests/library/public_names.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::library {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class LibraryTest : public testing::Test {
 protected:
  LibraryTest() {
    char here[4096];
    runfiles_ = getcwd(here, sizeof(here));
    const CommandResult installed = RunCommand(
        {"tools/install-library", "--prefix", built_, "--package", "tools/library/library.tar"});
    EXPECT_EQ(installed.exit_code, 0) << installed.output;
    // Nothing in it may know where it was put first.
    EXPECT_EQ(RunCommand({"mv", built_, prefix_}).exit_code, 0);
    installed_ = installed.output;
  }

  // A copy of docs/examples/NAME, with the files that its links point to.
  std::string Example(const std::string& name) {
    const std::string copy = directory_.File(name);
    EXPECT_EQ(RunCommand({"cp", "-RL", runfiles_ + "/docs/examples/" + name, copy}).exit_code, 0);
    EXPECT_EQ(RunCommand({"chmod", "-R", "u+w", copy}).exit_code, 0);
    return copy;
  }

  CommandResult Run(const std::vector<std::string>& command) {
    return RunCommand(command, "", {"PKG_CONFIG_PATH=" + prefix_ + "/lib/pkgconfig"});
  }

  TemporaryDirectory directory_;
  const std::string built_ = directory_.File("built");
  const std::string prefix_ = directory_.File("prefix");
  std::string runfiles_;
  std::string installed_;
};

// What each example must have said: the good one let in, and five refused.
void ExpectSixPassed(const CommandResult& result) {
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("[  PASSED  ] 6 tests."));
}

TEST_F(LibraryTest, TheCMakeExample) {
  const std::string source = Example("cmake"), build = directory_.File("build");
  const CommandResult configured =
      RunCommand({"cmake", "-S", source, "-B", build, "-DCMAKE_PREFIX_PATH=" + prefix_});
  ASSERT_EQ(configured.exit_code, 0) << configured.output;
  const CommandResult built = RunCommand({"cmake", "--build", build});
  ASSERT_EQ(built.exit_code, 0) << built.output;
  ExpectSixPassed(RunCommand({build + "/gateway_test"}));
}

// Copies the .pc files of test_ca's modules, and of what these require, from where pkg-config finds
// them: sh -c SCRIPT NAME PREFIX FOLDER.
constexpr char kCopyModulesOfTestCa[] = R"sh(set -e
mkdir "$2"
cd "$1/lib/pkgconfig"
waiting=$(sed -n 's/^Requires: //p' hourglass-issuing.pc hourglass-test-ca.pc | sed 's/hourglass-[a-z-]*//')
while [ -n "$waiting" ]; do
  next=
  for module in $waiting; do
    [ ! -e "$2/$module.pc" ] || continue
    cp "$(pkg-config --variable=pcfiledir "$module")/$module.pc" "$2"
    next="$next $(pkg-config --print-requires --print-requires-private "$module" | cut -d ' ' -f 1)"
  done
  waiting=$(echo $next)
done
)sh";

std::string OnlyTheModulesOfTestCa(const std::string& prefix, const std::string& folder) {
  const CommandResult copied =
      RunCommand({"sh", "-c", kCopyModulesOfTestCa, "copy", prefix, folder});
  EXPECT_EQ(copied.exit_code, 0) << copied.output;
  return folder;
}

// With neither gRPC nor a token's libraries.
TEST_F(LibraryTest, CMakeTakesTheComponentsWhoseLibrariesAreThere) {
  const std::string source = Example("cmake");
  const std::string modules = OnlyTheModulesOfTestCa(prefix_, directory_.File("modules"));
  const auto configure = [&](const std::string& name) {
    return RunCommand(
        {"cmake", "-S", source, "-B", directory_.File(name), "-DCMAKE_PREFIX_PATH=" + prefix_}, "",
        {"PKG_CONFIG_LIBDIR=" + modules});
  };
  const CommandResult configured = configure("without_grpc");
  EXPECT_EQ(configured.exit_code, 0) << configured.output;

  const std::string lists = source + "/CMakeLists.txt";
  const auto ask_for = [&](const std::string& component) {
    return RunCommand({"sed", "-i", "s/COMPONENTS [a-z_]*/COMPONENTS " + component + "/", lists})
        .exit_code;
  };
  ASSERT_EQ(ask_for("test_service"), 0);
  CommandResult refused = configure("refused");
  EXPECT_NE(refused.exit_code, 0);
  // CMake folds the lines.
  for (const char* word : {"Hourglass::test_service", "grpc++", "libgrpc++-dev"}) {
    EXPECT_THAT(refused.output, HasSubstr(word));
  }
  EXPECT_THAT(refused.output, Not(HasSubstr("botan-2 ")));
  ASSERT_EQ(ask_for("test_cb"), 0);
  refused = configure("refused");
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.output, HasSubstr("Hourglass has no component test_cb."));
}

TEST_F(LibraryTest, ThePkgConfigExample) {
  ExpectSixPassed(Run({"make", "-C", Example("pkg-config"), "test"}));
}

TEST_F(LibraryTest, ThePublicHeadersOfEachLibraryCompile) {
  for (const std::string library :
       {"hourglass_issuing", "hourglass_ca", "hourglass_test_ca", "hourglass_test_service"}) {
    std::string source;
    for (const PublicHeader& header :
         PublicHeadersOf(ReadFileOrDie(prefix_ + "/share/hourglass/public_headers"))) {
      if (header.library == library) source += "#include \"" + header.included_as + "\"\n";
    }
    ASSERT_NE(source, "");
    std::string module = library;
    for (char& c : module) c = c == '_' ? '-' : c;
    const std::string file = directory_.Write(library + ".cc", source);
    const CommandResult compiled =
        Run({"sh", "-c",
             "g++ -std=c++20 -Wall -Wextra -Werror -fsyntax-only $(pkg-config --cflags " + module +
                 ") " + file});
    EXPECT_EQ(compiled.exit_code, 0) << compiled.output;
  }
}

// A broker's test in a few lines.
constexpr char kAsksAService[] = R"(
#include "hourglass/v1/issuance.grpc.pb.h"
#include "issuance/server/testing/test_service.h"
#include <iostream>
int main() {
  using namespace hourglass;
  issuance::TestService service;
  const auto stub =
      v1::CertificateIssuer::NewStub(service.ChannelAs(issuance::TestCaller::kBroker));
  v1::IssueCertificateResponse response;
  grpc::ClientContext first, second;
  const auto issued = stub->IssueCertificate(&first, service.SampleRequest(), &response);
  std::cout << "issued " << issued.ok() << " " << response.chain_size() << std::endl;
  service.Deny("disk_encryption.enabled", "turn on disk encryption");
  const auto denied = stub->IssueCertificate(&second, service.SampleRequest(), &response);
  std::cout << "denied " << service.DetailOf(denied)->deny_reasons(0).message() << std::endl;
}
)";

constexpr char kMakesARoot[] = R"(
#include <iostream>
#include "ca/issuers/root_certificate.h"
#include "hsm/key/software_key.h"
int main() {
  using namespace hourglass;
  const auto key = hsm::GenerateSoftwareKey(hsm::KeyType::kEcP256);
  ca::RootSpecification root;
  root.display_name = "Contoso";
  root.now = ca::Time(std::chrono::seconds(1800000000));
  root.duration = std::chrono::hours(24 * 365);
  root.serial_entropy = std::string(16, 'x');
  std::cout << "root " << ca::IssueRoot(root, **key).ok() << std::endl;
}
)";

constexpr char kNamesAKey[] = R"(
#include <iostream>
#include "hsm/store/key_store.h"
int main(int, char** arguments) {
  hourglass::hsm::KeyStoreOptions options;
  options.software_directory = arguments[1];
  const auto keys = hourglass::hsm::KeyStore::Create(options);
  std::cout << "key " << (*keys)->DefaultUri("a").value_or("none") << std::endl;
}
)";

// Of the libraries that no example uses.
TEST_F(LibraryTest, ProgramsAreLinkedWithPkgConfig) {
  const std::string flags = " $(pkg-config --cflags --libs ";
  const std::string root = directory_.Write("root.cc", kMakesARoot);
  const std::string key = directory_.Write("key.cc", kNamesAKey);
  const CommandResult built =
      Run({"sh", "-c",
           "set -e; cd " + directory_.path() + "; g++ -std=c++20 -o root " + root + flags +
               "hourglass-issuing); g++ -std=c++20 -o key " + key + flags + "hourglass-ca)"});
  ASSERT_EQ(built.exit_code, 0) << built.output;
  EXPECT_EQ(RunCommand({directory_.File("root")}).output, "root 1\n");
  EXPECT_EQ(RunCommand({directory_.File("key"), directory_.path()}).output, "key software:a\n");
}

TEST_F(LibraryTest, ProgramsAreLinkedWithCMake) {
  const std::string source = directory_.File("linked"), build = directory_.File("linked_build");
  ASSERT_EQ(RunCommand({"mkdir", source}).exit_code, 0);
  directory_.Write("linked/root.cc", kMakesARoot);
  directory_.Write("linked/key.cc", kNamesAKey);
  directory_.Write("linked/service.cc", kAsksAService);
  directory_.Write("linked/CMakeLists.txt", R"(cmake_minimum_required(VERSION 3.25)
project(linked CXX)
find_package(Hourglass 0.1 REQUIRED COMPONENTS issuing ca test_service)
add_executable(root root.cc)
target_link_libraries(root Hourglass::issuing)
add_executable(key key.cc)
target_link_libraries(key Hourglass::ca)
add_executable(service service.cc)
target_link_libraries(service Hourglass::test_service)
)");
  const CommandResult configured =
      RunCommand({"cmake", "-S", source, "-B", build, "-DCMAKE_PREFIX_PATH=" + prefix_});
  ASSERT_EQ(configured.exit_code, 0) << configured.output;
  const CommandResult built = RunCommand({"cmake", "--build", build});
  ASSERT_EQ(built.exit_code, 0) << built.output;
  EXPECT_EQ(RunCommand({build + "/root"}).output, "root 1\n");
  EXPECT_EQ(RunCommand({build + "/key", directory_.path()}).output, "key software:a\n");
  EXPECT_THAT(RunCommand({build + "/service"}).output, HasSubstr("issued 1 1\n"));
}

// Linked as the author of a broker's test would.
TEST_F(LibraryTest, ATestServiceIssues) {
  const std::string file = directory_.Write("broker.cc", kAsksAService);
  const std::string program = directory_.File("broker");
  const CommandResult built = Run({"sh", "-c",
                                   "g++ -std=c++20 -o " + program + " " + file +
                                       " $(pkg-config --cflags --libs hourglass-test-service)"});
  ASSERT_EQ(built.exit_code, 0) << built.output;
  const CommandResult ran = RunCommand({program});
  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("issued 1 1\ndenied turn on disk encryption\n"));
  // What gRPC reads is watched as in the real service: the program has the SSL_read that does it.
  EXPECT_THAT(RunCommand({"nm", "-D", "--defined-only", program}).output, HasSubstr(" T SSL_read"));
}

TEST_F(LibraryTest, WhatMustBeRefusedIsInTheTestLibraryAlone) {
  const auto symbols = [this](const std::string& library) {
    return RunCommand({"nm", "-C", prefix_ + "/lib/lib" + library + ".a"}).output;
  };
  EXPECT_THAT(symbols("hourglass_test_ca"), HasSubstr("T hourglass::ca::IssueFlawed("));
  EXPECT_THAT(symbols("hourglass_issuing"), HasSubstr("T hourglass::ca::IssueRoot("));
  EXPECT_THAT(symbols("hourglass_ca"), HasSubstr("T hourglass::hsm::KeyStore::Create("));
  for (const char* product : {"hourglass_issuing", "hourglass_ca"}) {
    EXPECT_THAT(symbols(product), Not(HasSubstr("hourglass::ca::IssueFlawed(")));
    EXPECT_THAT(symbols(product), Not(HasSubstr("hourglass::ca::TestCa::")));
  }
}

TEST_F(LibraryTest, NamesTheDebianPackages) {
  std::istringstream lines(ReadFileOrDie(prefix_ + "/share/hourglass/debian-packages"));
  std::string installer = ReadFileOrDie("tools/install-packages");
  for (char& c : installer) c = c == '"' || c == '\n' ? ' ' : c;
  std::string word;
  int packages = 0;
  while (lines >> word) {
    if (word.back() == ':') continue;
    EXPECT_THAT(installer, HasSubstr(" " + word + " "));
    ++packages;
  }
  EXPECT_GT(packages, 10);
  EXPECT_THAT(installed_, HasSubstr("libabsl-dev"));
  // The program that makes the credentials, which no library brings.
  EXPECT_THAT(installed_, ContainsRegex("hourglass_test_service:[^\n]* openssl[ \n]"));
  EXPECT_THAT(installed_, Not(ContainsRegex("hourglass_test_ca:[^\n]* openssl[ \n]")));
}

TEST_F(LibraryTest, ASecondInstallationLeavesNothingOfTheFirst) {
  const std::string gone = prefix_ + "/include/hourglass/ca/gone.h";
  const std::string others = prefix_ + "/include/others.h";
  ASSERT_EQ(RunCommand({"touch", gone, others}).exit_code, 0);
  const CommandResult again = RunCommand(
      {"tools/install-library", "--prefix", prefix_, "--package", "tools/library/library.tar"});
  EXPECT_EQ(again.exit_code, 0) << again.output;
  EXPECT_NE(RunCommand({"test", "-e", gone}).exit_code, 0);
  EXPECT_EQ(RunCommand({"test", "-e", others}).exit_code, 0);
  EXPECT_EQ(RunCommand({"test", "-e", prefix_ + "/include/hourglass/ca/authority.h"}).exit_code, 0);
}

TEST_F(LibraryTest, AGatewaysTestNeedsNoTokensAndNoGrpc) {
  const CommandResult needed = Run({"pkg-config", "--libs", "hourglass-test-ca"});
  EXPECT_EQ(needed.exit_code, 0) << needed.output;
  EXPECT_THAT(needed.output, HasSubstr("-lbotan-2"));
  for (const char* library : {"-lgrpc", "-lprotobuf", "-lp11-kit", "-ltss2", "-lsqlite3"}) {
    EXPECT_THAT(needed.output, Not(HasSubstr(library)));
  }
}

TEST_F(LibraryTest, DoxygenReadsThePublicHeadersWithoutWarnings) {
  const std::string pages = directory_.File("reference");
  const CommandResult made = RunCommand(
      {"sh", "-c",
       "cd " + prefix_ + "/share/hourglass && (cat Doxyfile; echo OUTPUT_DIRECTORY = " + pages +
           ") | doxygen -"});
  EXPECT_EQ(made.exit_code, 0) << made.output;
  EXPECT_THAT(made.output, Not(HasSubstr("warning:")));
  // What is a plain comment in the header is said in the page.
  EXPECT_THAT(ReadFileOrDie(pages + "/html/classhourglass_1_1ca_1_1TestCa.html"),
              HasSubstr("Makes a further root, which does not sign yet"));
  // And what stands at its beginning, on the header's own page.
  EXPECT_THAT(ReadFileOrDie(pages + "/html/pem_8h.html"), HasSubstr("RFC 7468"));
}

}  // namespace
}  // namespace hourglass::library
