#include "tests/relying_parties/kit_files.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "ca/encoding/pem.h"
#include "hsm/base/status_macros.h"
#include "tools/client/certificate.h"
#include "tools/gateways/kit_folder.h"

namespace hourglass {

gateways::KitSubject SubjectOf(absl::string_view roots_pem) {
  gateways::KitSubject subject{"contoso", "ca.contoso.example:8443", {}};
  const auto blocks = ca::PemBlocks(roots_pem);
  if (!blocks.ok() || blocks->empty()) {
    std::fputs("no roots in PEM\n", stderr);
    std::abort();
  }
  for (const ca::PemBlock& block : *blocks) {
    const auto facts = client::ReadCertificate(block.octets);
    if (!facts.ok()) std::abort();
    subject.roots.push_back({absl::StrCat("r", subject.roots.size() + 1),
                             std::string(absl::StripPrefix(facts->subject, "CN=")),
                             client::PemOfCertificate(block.octets), block.octets,
                             facts->sha1_thumbprint, subject.roots.empty()});
  }
  return subject;
}

absl::StatusOr<std::vector<gateways::KitFile>> FilesOf(const gateways::Kit& kit,
                                                       const gateways::KitSubject& subject,
                                                       gateways::Values given) {
  ASSIGN_OR_RETURN(const gateways::Values values, gateways::CompleteValues(kit, std::move(given)));
  return kit.write(subject, values);
}

absl::Status WriteKit(const gateways::Kit& kit, const gateways::KitSubject& subject,
                      gateways::Values given, const std::string& folder) {
  ASSIGN_OR_RETURN(const std::vector<gateways::KitFile> files,
                   FilesOf(kit, subject, std::move(given)));
  return gateways::WriteKitFolder(folder, files, /*force=*/true);
}

}  // namespace hourglass
