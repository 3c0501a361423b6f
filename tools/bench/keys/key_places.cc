#include "tools/bench/keys/key_places.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/store/key_store.h"
#include "tests/support/shared_library.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/subprocess.h"
#include "tests/support/swtpm.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

const std::string& Tpm2Pkcs11() {
  static const std::string* const path = new std::string(Pkcs11ModulePath("libtpm2_pkcs11.so"));
  return *path;
}
constexpr char kResident[] = "tpm:handle=0x81010001";
constexpr std::uint32_t kHandle = 0x81010001;
// A TPM does one thing at a time.
const std::vector<int> kFewThreads = {1, 2, 4};

template <typename T>
T ValueOrDie(absl::StatusOr<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
    std::exit(1);
  }
  return *std::move(result);
}

std::unique_ptr<hsm::KeyStore> StoreOf(hsm::KeyStoreOptions options, const std::string& keyholder) {
  options.keyholder_program = keyholder;
  return ValueOrDie(hsm::KeyStore::Create(options));
}

// A key of tpm2-pkcs11 in a TPM of its own. The module finds both by the environment.
class Tpm2Pkcs11Token {
 public:
  Tpm2Pkcs11Token() {
    Use();
    Tool({"--slot-index", "0", "--init-token", "--label", "tpm", "--so-pin", kPin});
    Tool({"--token-label", "tpm", "--init-pin", "--login", "--login-type", "so", "--so-pin", kPin,
          "--pin", kPin});
  }

  static constexpr char kPin[] = "135790";

  std::vector<std::string> Environment() const {
    return {"TPM2_PKCS11_TCTI=" + tpm_.Tcti(), "TPM2_PKCS11_STORE=" + directory_.path(),
            "TPM2_PKCS11_LOG_LEVEL=0", "TSS2_LOG=all+NONE"};
  }
  // Every process that is started from now on uses this one.
  void Use() const {
    for (const std::string& entry : Environment()) {
      const std::size_t equals = entry.find('=');
      setenv(entry.substr(0, equals).c_str(), entry.substr(equals + 1).c_str(), 1);
    }
  }
  // What a process left in it that was killed: there is no resource manager that would do it.
  void Flush() const {
    for (const char* kind : {"-t", "-l", "-s"}) (void)tpm_.Tool({"tpm2_flushcontext", kind});
  }
  std::string Uri() const {
    return absl::StrCat("pkcs11:token=tpm?module-path=", Tpm2Pkcs11(),
                        "&pin-source=file:", directory_.Write("pin", kPin));
  }

 private:
  void Tool(const std::vector<std::string>& arguments) const {
    std::vector<std::string> command = {"pkcs11-tool", "--module", Tpm2Pkcs11()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const CommandResult result = RunCommand(command);
    if (result.exit_code == 0) return;
    std::fprintf(stderr, "%s\n", result.output.c_str());
    std::exit(1);
  }

  Swtpm tpm_;
  TemporaryDirectory directory_;
};

// Each way has a TPM of its own, since a TPM without a resource manager serves one client.
Figure CompareResident(const std::string& keyholder, const Effort& effort) {
  const Swtpm ours, raw;
  const auto options_of = [](const Swtpm& tpm) {
    hsm::KeyStoreOptions options;
    options.tpm.emplace();
    options.tpm->tcti = tpm.Tcti();
    return options;
  };
  (void)ValueOrDie(StoreOf(options_of(raw), keyholder)->Generate(kResident, hsm::KeyType::kEcP256));
  const auto store = StoreOf(options_of(ours), keyholder);
  const auto key = ValueOrDie(store->Generate(kResident, hsm::KeyType::kEcP256));
  RawSigner::Key raw_key;
  raw_key.tcti = raw.Tcti();
  raw_key.handle = kHandle;
  RawSigner signer(raw_key);
  return CompareRates("TPM resident / Esys_Sign", 0.95, *key, kFewThreads, {&signer}, effort);
}

Figure CompareTpm2Pkcs11(const std::string& keyholder, const Effort& effort) {
  const Tpm2Pkcs11Token ours, raw;
  const std::string uri = "pkcs11:token=tpm;object=k";
  const auto options_of = [](const Tpm2Pkcs11Token& token) {
    hsm::KeyStoreOptions options;
    options.tokens = {token.Uri()};
    return options;
  };
  raw.Use();
  (void)ValueOrDie(StoreOf(options_of(raw), keyholder)->Generate(uri, hsm::KeyType::kEcP256));
  raw.Flush();
  ours.Use();
  const auto store = StoreOf(options_of(ours), keyholder);
  const auto key = ValueOrDie(store->Generate(uri, hsm::KeyType::kEcP256));
  RawSigner::Key raw_key;
  raw_key.module_path = Tpm2Pkcs11();
  raw_key.token = "tpm";
  raw_key.pin = Tpm2Pkcs11Token::kPin;
  raw_key.label = "k";
  RawSigner signer(raw_key, raw.Environment());
  return CompareRates("tpm2-pkcs11 / its module", 0.95, *key, kFewThreads, {&signer}, effort);
}

Figure CompareSealed(const std::string& keyholder, const Effort& effort) {
  const Swtpm tpm;
  const TemporaryDirectory sealed, software;
  hsm::KeyStoreOptions options;
  options.software_directory = software.path();
  options.tpm.emplace();
  options.tpm->tcti = tpm.Tcti();
  options.tpm->sealed_directory = sealed.path();
  const auto store = StoreOf(options, keyholder);
  const auto key = ValueOrDie(store->Generate("tpm:sealed=k", hsm::KeyType::kEcP256));
  const auto plain = ValueOrDie(store->Generate("software:k", hsm::KeyType::kEcP256));
  return CompareKeys("TPM sealed / software key", 0.97, *key, *plain, {1, 2}, effort);
}

}  // namespace

std::vector<Figure> CompareSofthsm(const std::string& keyholder, const Effort& effort) {
  const SofthsmToken token({"bench"});
  hsm::KeyStoreOptions options;
  options.tokens = {token.Uri()};
  const auto store = StoreOf(options, keyholder);
  std::vector<Figure> figures;
  for (const auto& [name, type] : {std::pair{"P-256", hsm::KeyType::kEcP256},
                                   {"P-384", hsm::KeyType::kEcP384},
                                   {"RSA-2048", hsm::KeyType::kRsa2048}}) {
    const auto key =
        ValueOrDie(store->Generate(absl::StrCat("pkcs11:token=bench;object=", name), type));
    RawSigner::Key raw_key;
    raw_key.module_path = SofthsmToken::kModulePath;
    raw_key.token = "bench";
    raw_key.pin = token.pin();
    raw_key.label = name;
    raw_key.rsa = type == hsm::KeyType::kRsa2048;
    raw_key.digest_size = type == hsm::KeyType::kEcP384 ? 48 : 32;
    RawSigner first(raw_key), second(raw_key);
    figures.push_back(CompareRates(absl::StrCat("SoftHSM ", name, " / its module"), 0.9, *key,
                                   {1, 2, 4, 8, 16, 32, 64}, {&first, &second}, effort));
    if (type == hsm::KeyType::kEcP256) {
      for (const int group : {16, 32}) {
        figures.push_back(
            CompareRates(absl::StrCat("SoftHSM ", name, " in groups of ", group, " / its module"),
                         0.9, *key, {2, 4, 8}, {&first, &second}, effort, group));
      }
      figures.push_back(
          CompareLatencies("latency of one SoftHSM P-256 signature", 100, *key, first, effort));
    }
  }
  return figures;
}

std::vector<Figure> CompareTpm(const std::string& keyholder, const Effort& effort) {
  return {CompareResident(keyholder, effort), CompareTpm2Pkcs11(keyholder, effort),
          CompareSealed(keyholder, effort)};
}

}  // namespace hourglass
