#include "tests/relying_parties/matrix/server_program.h"

#include <openssl/x509_vfy.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "hsm/base/status_macros.h"
#include "tests/support/loopback.h"
#include "tools/gateways/follower.h"

namespace hourglass::matrix {
namespace {

constexpr mode_t kForEveryAccount = 0755;
constexpr int kWaits = 1000;

[[noreturn]] void Die(const std::string& what, const std::string& text) {
  std::fprintf(stderr, "the kit has no '%s' any more:\n%s\n", what.c_str(), text.c_str());
  std::abort();
}

// Between two looks at a log.
void WaitALittle() {
  const timespec ten_milliseconds = {0, 10'000'000};
  nanosleep(&ten_milliseconds, nullptr);
}

}  // namespace

std::string Replaced(const std::string& text, const std::string& from, const std::string& to) {
  if (!absl::StrContains(text, from)) Die(from, text);
  return absl::StrReplaceAll(text, {{from, to}});
}

std::string WithoutLinesOf(const std::string& text, const std::string& part) {
  if (!absl::StrContains(text, part)) Die(part, text);
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  std::erase_if(lines, [&part](const std::string& line) { return absl::StrContains(line, part); });
  return absl::StrJoin(lines, "\n");
}

std::string OpensslReason(int error) {
  return absl::StrCat(error, ": ", X509_verify_cert_error_string(error));
}

std::string LastMatch(const std::string& text, const std::regex& pattern) {
  std::string last;
  for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match) {
    last = match->str(1);
  }
  return last;
}

ServerProgram::ServerProgram(const PartySetup& setup) : subject_(setup.tenant->subject()) {
  // Programs that give their privileges up read files here.
  chmod(directory_.path().c_str(), kForEveryAccount);
  if (!setup.revocation_list.empty()) {
    gateways::KitRoot root = subject_.roots.front();
    root.root_id = "r4";
    root.pem = setup.tenant->signing_root_pem();
    root.is_primary = false;
    subject_.roots.push_back(root);
  }
  const CertificateAndKey& server = setup.tenant->server();
  directory_.Write("server.pem", server.certificate_pem);
  directory_.Write("server.key", server.private_key_pem);
  directory_.Write("both.pem", absl::StrCat(server.certificate_pem, server.private_key_pem));
  directory_.Write("revoked.pem", setup.revocation_list);
  directory_.Write("roots.pem", gateways::RootsPem(subject_));
}

ServerProgram::~ServerProgram() {
  if (process_ != nullptr) process_->Stop(SIGTERM);
}

int ServerProgram::TakePort() {
  port_ = FreePort("127.0.0.1");
  return port_;
}

absl::Status ServerProgram::WriteKit(const gateways::Kit& kit, gateways::Values given) {
  if (port_ == 0) TakePort();
  const gateways::Values ours = {{"folder", directory_.path()},
                                 {"listen_address", "127.0.0.1"},
                                 {"listen_port", absl::StrCat(port_)},
                                 {"server_certificate", directory_.File("server.pem")},
                                 {"server_key", directory_.File("server.key")}};
  for (const gateways::KitValue& value : kit.values) {
    const auto found = ours.find(value.name);
    if (found != ours.end()) given.insert(*found);
  }
  ASSIGN_OR_RETURN(const gateways::Values values, gateways::CompleteValues(kit, std::move(given)));
  ASSIGN_OR_RETURN(const std::vector<gateways::KitFile> files, kit.write(subject_, values));
  for (const gateways::KitFile& file : files) {
    const std::filesystem::path path(directory_.File(file.path));
    std::filesystem::create_directories(path.parent_path());
    directory_.Write(file.path, file.content);
  }
  return absl::OkStatus();
}

void ServerProgram::Replace(const std::string& file, const std::string& from,
                            const std::string& to) {
  directory_.Write(file, Replaced(ReadFileOrDie(directory_.File(file)), from, to));
}

void ServerProgram::DropLines(const std::string& file, const std::string& part) {
  directory_.Write(file, WithoutLinesOf(ReadFileOrDie(directory_.File(file)), part));
}

absl::Status ServerProgram::Run(const std::vector<std::string>& command, const std::string& ready) {
  process_ = std::make_unique<BackgroundProcess>(command, directory_.File("output"));
  for (int i = 0; i < kWaits; ++i) {
    if (absl::StrContains(Log(), ready)) break;
    if (!process_->Running()) break;
    WaitALittle();
  }
  if (process_->Running() && absl::StrContains(Log(), ready)) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat(command.front(), " did not start:\n", process_->Log(), "\n", Log()));
}

std::string ServerProgram::Log() const {
  if (log_file_.empty()) return process_->Log();
  std::ifstream in(directory_.File(log_file_), std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

std::string ServerProgram::NewLog() {
  const std::string log = Log();
  const std::size_t before = std::min(seen_, log.size());
  seen_ = log.size();
  return log.substr(before);
}

std::string ServerProgram::WaitForReason(const std::regex& pattern) {
  for (int i = 0; i < kWaits; ++i) {
    const std::string log = Log();
    const std::string found = LastMatch(log.substr(std::min(seen_, log.size())), pattern);
    if (!found.empty()) return found;
    WaitALittle();
  }
  return "";
}

}  // namespace hourglass::matrix
