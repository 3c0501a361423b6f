#include "hsm/keyholder/process/worker_environment.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "absl/strings/match.h"
#include "hsm/base/sanitizers.h"

namespace hourglass::hsm {
namespace {

constexpr absl::string_view kNames[] = {
    "PATH",
    "HOME",
    "LANG",
    "TZ",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "XDG_RUNTIME_DIR",
    // SoftHSM; TPM 2.0, through its resource manager on the bus, too
    "SOFTHSM2_CONF",
    "DBUS_SESSION_BUS_ADDRESS",
    "DBUS_SYSTEM_BUS_ADDRESS",
    // OpenSC and smart cards
    "OPENSC_CONF",
    "OPENSC_DRIVER",
    "PCSCLITE_CSOCK_NAME",
    // YubiHSM 2, Thales Luna, nCipher and AWS CloudHSM
    "YUBIHSM_PKCS11_CONF",
    "YUBIHSM_PKCS11_DBG",
    "ChrystokiConfigurationPath",
    "NFAST_HOME",
    "NFAST_SERVER",
};

constexpr absl::string_view kPrefixes[] = {"LC_",      "TSS2_",    "TPM2_PKCS11_",
                                           "P11_KIT_", "CKNFAST_", "CLOUDHSM_"};

constexpr absl::string_view kOfSanitizers = "SAN_OPTIONS";

const std::optional<PinSource> PinSourceOf(const std::variant<TokenUri, TpmConnection>& custodian) {
  if (const auto* token = std::get_if<TokenUri>(&custodian)) return token->pin_source;
  return std::get<TpmConnection>(custodian).pin_source;
}

}  // namespace

bool IsOfWorkers(absl::string_view name) {
  if (kSanitizer && absl::EndsWith(name, kOfSanitizers)) return true;
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames) ||
         std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](absl::string_view prefix) { return absl::StartsWith(name, prefix); });
}

std::vector<std::string> WorkerEnvironment(const std::variant<TokenUri, TpmConnection>& custodian,
                                           absl::Span<const std::string> more,
                                           const char* const* environment) {
  const std::optional<PinSource> pin = PinSourceOf(custodian);
  const auto needs = [&](absl::string_view name) {
    if (pin.has_value() && pin->kind == PinSource::Kind::kEnvironment && name == pin->name) {
      return true;
    }
    if (name == "CREDENTIALS_DIRECTORY") {
      return pin.has_value() && pin->kind == PinSource::Kind::kCredential;
    }
    return IsOfWorkers(name) || std::find(more.begin(), more.end(), name) != more.end();
  };
  std::vector<std::string> kept;
  for (; *environment != nullptr; ++environment) {
    const absl::string_view variable = *environment;
    if (needs(variable.substr(0, variable.find('=')))) kept.emplace_back(variable);
  }
  return kept;
}

}  // namespace hourglass::hsm
