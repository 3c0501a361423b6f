#include "tools/bench/service/key_place_costs.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/swtpm.h"
#include "tests/support/temporary_directory.h"
#include "tools/bench/keys/raw_signer.h"

namespace hourglass::bench {
namespace {

constexpr char kSoftware[] = "software P-256";

void AddVariant(const std::string& name, const LoadCost& cost, const VerifyAndSignFloor& floor,
                Report& report) {
  report.Add({.section = kServiceSection,
              .name = absl::StrCat(kSoftware, ", ", name, ": server CPU per certificate"),
              .value = cost.server,
              .unit = "us",
              .floor = floor.Microseconds(),
              .floor_is = "verify and sign"});
  report.Add({.section = kServiceSection,
              .name = absl::StrCat(kSoftware, ", ", name, ": rate at saturation"),
              .value = cost.load.CertificatesPerSecond(),
              .unit = "certificates/s"});
}

absl::Status MeasureTransports(LoadedService& service, const LoadEffort& effort, int outstanding,
                               const VerifyAndSignFloor& floor, Report& report) {
  const std::pair<const char*, LoadTransport> transports[] = {
      {"streams", LoadTransport::kStream},
      {"a TLS connection for each", LoadTransport::kConnectionEach},
  };
  for (const auto& [name, transport] : transports) {
    LoadOptions options = ClosedLoad(outstanding);
    options.transport = transport;
    const auto cost = MeasureCost(service, options, effort.window);
    if (!cost.ok() && absl::StrContains(cost.status().message(), "UNIMPLEMENTED")) {
      Progress(absl::StrCat("  ", kSoftware, ", ", name, ": not measured: the service has none"));
      continue;
    }
    RETURN_IF_ERROR(cost.status());
    AddVariant(name, *cost, floor, report);
  }
  return absl::OkStatus();
}

absl::Status MeasureQuietLog(const Options& options, const LoadEffort& effort, int outstanding,
                             const VerifyAndSignFloor& floor, Report& report) {
  ASSIGN_OR_RETURN(LoadedService service,
                   StartService({.program = options.hourglassd, .log_level = "error"}, v1::EC_P256,
                                effort.tenants));
  ASSIGN_OR_RETURN(const LoadCost cost,
                   MeasureCost(service, ClosedLoad(outstanding), effort.window));
  AddVariant("without a log of requests", cost, floor, report);
  return service.process->Stop();
}

// What as many processes as there are processors sign, and what one signs, a second.
class TokenAlone {
 public:
  explicit TokenAlone(const RawSigner::Key& key) {
    for (std::size_t i = 0; i < UsableProcessors().size(); ++i) {
      signers_.push_back(std::make_unique<RawSigner>(key));
    }
  }

  // Each process's rate while all sign.
  void Measure(std::chrono::milliseconds duration) {
    ++rounds_;
    for (const auto& signer : signers_) signer->Begin(duration);
    for (const auto& signer : signers_) all_ += signer->End().per_second;
    signers_.front()->Begin(duration);
    one_ += signers_.front()->End().per_second;
  }

  double all() const { return all_ / rounds_; }
  double one() const { return one_ / rounds_; }

 private:
  std::vector<std::unique_ptr<RawSigner>> signers_;
  int rounds_ = 0;
  double all_ = 0;
  double one_ = 0;
};

struct TokenKey {
  std::string name;   // of the figures
  std::string token;  // its label
  v1::KeyType type;
  hsm::KeyType floor_type;
  std::optional<TargetId> rate_target;
  std::optional<TargetId> processors_target;
};

void ReportToken(const TokenKey& key, const Saturation& saturation, const TokenAlone& token,
                 Report& report) {
  const double rate = saturation.cost.load.CertificatesPerSecond();
  report.Add({.section = kServiceSection,
              .name = absl::StrCat(key.name, ": rate at saturation beside the token alone"),
              .value = rate,
              .unit = "certificates/s",
              .floor = token.all(),
              .floor_is = "C_Sign by as many processes as processors",
              .target = key.rate_target});
  report.Add({.section = kServiceSection,
              .name = absl::StrCat(key.name, ": rate at saturation beside one process"),
              .value = rate,
              .unit = "certificates/s",
              .floor = token.one(),
              .floor_is = "C_Sign by one process"});
  report.Add({.section = kServiceSection,
              .name = absl::StrCat(key.name, ": processors in use at saturation"),
              .value = saturation.cost.busy,
              .unit = "of all",
              .target = key.processors_target});
  const LoadCost& cost = saturation.cost;
  report.Add({.section = kServiceSection,
              .name = absl::StrCat(key.name, ": CPU of all processes per certificate"),
              .value = cost.server + cost.keyholders + cost.generator,
              .unit = "us",
              .floor = static_cast<double>(UsableProcessors().size()) * 1e6 / rate,
              .floor_is = "processors ÷ rate"});
}

absl::Status MeasureTokenKey(const Options& options, const LoadEffort& effort, const TokenKey& key,
                             const SofthsmToken& softhsm, Report& report) {
  ASSIGN_OR_RETURN(LoadedService service,
                   StartService({.program = options.hourglassd,
                                 .keys = absl::StrCat("{tokens: [\"", softhsm.Uri(key.token),
                                                      "\"], keyholder: ", options.keyholder, "}")},
                                key.type, effort.tenants));
  RawSigner::Key raw;
  raw.module_path = SofthsmToken::kModulePath;
  raw.token = key.token;
  raw.pin = softhsm.pin();
  raw.label = "hourglass-t0-r1";
  raw.rsa = key.type != v1::EC_P256;
  TokenAlone token(raw);
  token.Measure(effort.trial.duration);
  VerifyAndSignFloor floor(key.floor_type);
  ASSIGN_OR_RETURN(const Saturation saturation,
                   ReportSaturation(key.name, service, effort, floor, std::nullopt, report));
  token.Measure(effort.trial.duration);
  ReportToken(key, saturation, token, report);
  return service.process->Stop();
}

}  // namespace

absl::Status MeasureSoftwareKeys(const Options& options, const LoadEffort& effort, Report& report) {
  ASSIGN_OR_RETURN(LoadedService service,
                   StartService({.program = options.hourglassd}, v1::EC_P256, effort.tenants));
  VerifyAndSignFloor floor(hsm::KeyType::kEcP256);
  ASSIGN_OR_RETURN(
      const Saturation saturation,
      ReportSaturation(kSoftware, service, effort, floor, TargetId::kServiceSoftware, report));
  RETURN_IF_ERROR(MeasureTransports(service, effort, saturation.outstanding, floor, report));
  RETURN_IF_ERROR(service.process->Stop());
  return MeasureQuietLog(options, effort, saturation.outstanding, floor, report);
}

absl::Status MeasureSofthsm(const Options& options, const LoadEffort& effort, Report& report) {
  const TokenKey ec = {"SoftHSM P-256",
                       "ec",
                       v1::EC_P256,
                       hsm::KeyType::kEcP256,
                       TargetId::kServiceSofthsm,
                       TargetId::kServiceSofthsmCpu};
  const TokenKey rsa = {"SoftHSM RSA-2048",     "rsa",        v1::RSA_2048,
                        hsm::KeyType::kRsa2048, std::nullopt, std::nullopt};
  const SofthsmToken softhsm({ec.token, rsa.token});
  RETURN_IF_ERROR(MeasureTokenKey(options, effort, ec, softhsm, report));
  if (options.quick) return absl::OkStatus();
  return MeasureTokenKey(options, effort, rsa, softhsm, report);
}

absl::Status MeasureSealedKey(const Options& options, const LoadEffort& effort, Report& report) {
  const Swtpm tpm;
  const TemporaryDirectory sealed;
  ASSIGN_OR_RETURN(LoadedService service,
                   StartService({.program = options.hourglassd,
                                 .keys = absl::StrCat("{tpm: {tcti: \"", tpm.Tcti(),
                                                      "\", sealed_directory: ", sealed.path(),
                                                      "}, keyholder: ", options.keyholder, "}")},
                                v1::EC_P256, effort.tenants));
  VerifyAndSignFloor floor(hsm::KeyType::kEcP256);
  RETURN_IF_ERROR(
      ReportSaturation("TPM-sealed P-256", service, effort, floor, std::nullopt, report).status());
  return service.process->Stop();
}

}  // namespace hourglass::bench
