#include "tools/bench/keys/raw_signer.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <p11-kit/pkcs11.h>
#include <spawn.h>
#include <sys/wait.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

extern char** environ;

namespace hourglass {
namespace {

constexpr char kMarker[] = "--serve-as-raw-signer";
// SHA-256 in DigestInfo, RFC 8017 section 9.2 note 1.
constexpr char kSha256Prefix[] =
    "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";

void Require(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "raw signer: %s failed\n", what.c_str());
  std::_Exit(1);
}

CK_SLOT_ID FindSlot(const CK_FUNCTION_LIST& api, const std::string& token) {
  CK_SLOT_ID slots[64];
  CK_ULONG count = 64;
  Require(api.C_GetSlotList(CK_TRUE, slots, &count) == CKR_OK, "C_GetSlotList");
  for (CK_ULONG i = 0; i < count; ++i) {
    CK_TOKEN_INFO info;
    if (api.C_GetTokenInfo(slots[i], &info) != CKR_OK) continue;
    std::string label(reinterpret_cast<const char*>(info.label), sizeof(info.label));
    label.erase(label.find_last_not_of(' ') + 1);
    if (label == token) return slots[i];
  }
  Require(false, "finding the token " + token);
  return 0;
}

CK_OBJECT_HANDLE FindKey(const CK_FUNCTION_LIST& api, CK_SESSION_HANDLE session,
                         std::string label) {
  CK_OBJECT_CLASS type = CKO_PRIVATE_KEY;
  CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &type, sizeof(type)},
                           {CKA_LABEL, label.data(), label.size()}};
  CK_OBJECT_HANDLE key = 0;
  CK_ULONG count = 0;
  Require(api.C_FindObjectsInit(session, wanted, 2) == CKR_OK &&
              api.C_FindObjects(session, &key, 1, &count) == CKR_OK && count == 1 &&
              api.C_FindObjectsFinal(session) == CKR_OK,
          "finding the key " + label);
  return key;
}

// One signature with the handle of the key cached: C_SignInit and C_Sign.
std::function<void()> Pkcs11Signature(const RawSigner::Key& key) {
  void* library = dlopen(key.module_path.c_str(), RTLD_NOW);
  Require(library != nullptr, "dlopen");
  CK_FUNCTION_LIST* api = nullptr;
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  Require(get != nullptr && get(&api) == CKR_OK, "C_GetFunctionList");
  CK_C_INITIALIZE_ARGS arguments = {};
  arguments.flags = CKF_OS_LOCKING_OK;
  Require(api->C_Initialize(&arguments) == CKR_OK, "C_Initialize");
  CK_SESSION_HANDLE session = 0;
  Require(api->C_OpenSession(FindSlot(*api, key.token), CKF_SERIAL_SESSION, nullptr, nullptr,
                             &session) == CKR_OK,
          "C_OpenSession");
  std::string pin = key.pin;
  Require(
      api->C_Login(session, CKU_USER, reinterpret_cast<CK_BYTE*>(pin.data()), pin.size()) == CKR_OK,
      "C_Login");
  const CK_OBJECT_HANDLE handle = FindKey(*api, session, key.label);
  std::string data(static_cast<std::size_t>(key.digest_size), 'd');
  if (key.rsa) data = std::string(kSha256Prefix, sizeof(kSha256Prefix) - 1) + data;
  const CK_MECHANISM_TYPE mechanism_type = key.rsa ? CKM_RSA_PKCS : CKM_ECDSA;
  return [api, session, handle, data, mechanism_type]() mutable {
    CK_MECHANISM mechanism = {mechanism_type, nullptr, 0};
    CK_BYTE signature[512];
    CK_ULONG size = sizeof(signature);
    Require(api->C_SignInit(session, &mechanism, handle) == CKR_OK &&
                api->C_Sign(session, reinterpret_cast<CK_BYTE*>(data.data()), data.size(),
                            signature, &size) == CKR_OK,
            "C_Sign");
  };
}

// One Esys_Sign in a password session, ECDSA with SHA-256.
std::function<void()> TpmSignature(const RawSigner::Key& key) {
  TSS2_TCTI_CONTEXT* tcti = nullptr;
  Require(Tss2_TctiLdr_Initialize(key.tcti.c_str(), &tcti) == TSS2_RC_SUCCESS, "TCTI");
  ESYS_CONTEXT* context = nullptr;
  Require(Esys_Initialize(&context, tcti, nullptr) == TSS2_RC_SUCCESS, "Esys_Initialize");
  ESYS_TR object = ESYS_TR_NONE;
  Require(Esys_TR_FromTPMPublic(context, key.handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                &object) == TSS2_RC_SUCCESS,
          "Esys_TR_FromTPMPublic");
  return [context, object] {
    TPM2B_DIGEST digest = {};
    digest.size = 32;
    std::memset(digest.buffer, 'd', digest.size);
    TPMT_SIG_SCHEME scheme = {};
    scheme.scheme = TPM2_ALG_ECDSA;
    scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
    TPMT_TK_HASHCHECK ticket = {};
    ticket.tag = TPM2_ST_HASHCHECK;
    ticket.hierarchy = TPM2_RH_NULL;
    TPMT_SIGNATURE* signature = nullptr;
    Require(Esys_Sign(context, object, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &digest,
                      &scheme, &ticket, &signature) == TSS2_RC_SUCCESS,
            "Esys_Sign");
    Esys_Free(signature);
  };
}

RawSigner::Result SignFor(std::chrono::milliseconds duration, const std::function<void()>& sign) {
  using Clock = std::chrono::steady_clock;
  std::vector<Clock::duration> latencies;
  const Clock::time_point start = Clock::now();
  Clock::time_point last = start;
  while (last - start < duration) {
    sign();
    const Clock::time_point now = Clock::now();
    latencies.push_back(now - last);
    last = now;
  }
  const auto middle = latencies.begin() + static_cast<std::ptrdiff_t>(latencies.size() / 2);
  std::nth_element(latencies.begin(), middle, latencies.end());
  return {
      static_cast<double>(latencies.size()) / std::chrono::duration<double>(last - start).count(),
      std::chrono::duration<double, std::micro>(*middle).count()};
}

}  // namespace

RawSigner::RawSigner(const Key& key, const std::vector<std::string>& environment) {
  int in[2], out[2];
  Require(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0, "pipe2");
  const std::vector<std::string> words = {"raw-signer",
                                          kMarker,
                                          key.module_path,
                                          key.token,
                                          key.pin,
                                          key.label,
                                          key.rsa ? "rsa" : "ec",
                                          absl::StrCat(key.digest_size),
                                          key.tcti,
                                          absl::StrCat(key.handle)};
  std::vector<char*> arguments, variables;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  for (const std::string& entry : environment)
    variables.push_back(const_cast<char*>(entry.c_str()));
  for (char** entry = environ; *entry != nullptr; ++entry) variables.push_back(*entry);
  variables.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  Require(posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, arguments.data(),
                      variables.data()) == 0,
          "posix_spawn");
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  to_child_ = in[1];
  from_child_ = out[0];
  char ready = 0;
  Require(read(from_child_, &ready, 1) == 1, "starting a raw signer");
}

RawSigner::~RawSigner() {
  close(to_child_);
  close(from_child_);
  waitpid(pid_, nullptr, 0);
}

void RawSigner::Begin(std::chrono::milliseconds duration) {
  const std::int64_t milliseconds = duration.count();
  Require(write(to_child_, &milliseconds, sizeof(milliseconds)) == sizeof(milliseconds), "write");
}

RawSigner::Result RawSigner::End() {
  Result result;
  Require(read(from_child_, &result, sizeof(result)) == sizeof(result), "a raw signature");
  return result;
}

void ServeAsRawSigner(int argc, char** argv) {
  if (argc != 10 || std::strcmp(argv[1], kMarker) != 0) return;
  RawSigner::Key key = {argv[2], argv[3], argv[4], argv[5], std::strcmp(argv[6], "rsa") == 0,
                        0,       argv[8], 0};
  Require(absl::SimpleAtoi(argv[7], &key.digest_size) && absl::SimpleAtoi(argv[9], &key.handle),
          "reading the arguments");
  const std::function<void()> sign = key.tcti.empty() ? Pkcs11Signature(key) : TpmSignature(key);
  Require(write(1, "r", 1) == 1, "write");
  std::int64_t milliseconds = 0;
  while (read(0, &milliseconds, sizeof(milliseconds)) == sizeof(milliseconds)) {
    const RawSigner::Result result = SignFor(std::chrono::milliseconds(milliseconds), sign);
    Require(write(1, &result, sizeof(result)) == sizeof(result), "write");
  }
  std::_Exit(0);
}

}  // namespace hourglass
