#include "tools/broker/output_files.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"

namespace hourglass::broker {
namespace {

constexpr mode_t kSecret = 0600;
constexpr mode_t kPublic = 0644;

std::string PemOf(const std::vector<std::string>& certificates) {
  std::string pem;
  for (const std::string& der : certificates) absl::StrAppend(&pem, client::PemOfCertificate(der));
  return pem;
}

}  // namespace

absl::Status OutputFiles::StageKey(std::string private_key_pem) {
  // Its own name may still be held by the key staged before.
  staged_key_.reset();
  private_key_pem_ = std::move(private_key_pem);
  const bool beside = SharesOneFile() && paths_.key != client::kStandardStream;
  const std::string path = beside ? absl::StrCat(paths_.key, ".key") : paths_.key;
  ASSIGN_OR_RETURN(staged_key_, client::StagedFile::Write(path, private_key_pem_, kSecret));
  return absl::OkStatus();
}

absl::Status OutputFiles::CheckWritable() const {
  return client::StagedFile::Write(paths_.certificate, "", kSecret).status();
}

absl::Status OutputFiles::Replace(const IssuedCertificate& issued) {
  std::string content = client::PemOfCertificate(issued.der);
  if (SharesOneFile()) absl::StrAppend(&content, private_key_pem_);
  std::vector<client::StagedFile> files;
  ASSIGN_OR_RETURN(
      client::StagedFile certificate,
      client::StagedFile::Write(paths_.certificate, content, SharesOneFile() ? kSecret : kPublic));
  if (!paths_.chain.empty()) {
    ASSIGN_OR_RETURN(client::StagedFile chain,
                     client::StagedFile::Write(paths_.chain, PemOf(issued.chain), kPublic));
    files.push_back(std::move(chain));
  }
  if (!paths_.key.empty()) {
    // An earlier attempt may have used up the staged file and then failed.
    if (!staged_key_.has_value()) RETURN_IF_ERROR(StageKey(private_key_pem_));
    if (!SharesOneFile()) files.push_back(*std::move(staged_key_));
    staged_key_.reset();
  }
  files.push_back(std::move(certificate));
  return client::CommitTogether(files);
}

std::optional<absl::Time> OutputFiles::ExpiryInPlace() const {
  const auto pem = client::ReadWholeFile(paths_.certificate);
  if (!pem.ok()) return std::nullopt;
  const auto der = client::FirstCertificateInPem(*pem);
  if (!der.ok()) return std::nullopt;
  const auto facts = client::ReadCertificate(*der);
  if (!facts.ok()) return std::nullopt;
  // The last second of validity belongs to it.
  return facts->not_after + absl::Seconds(1);
}

absl::StatusOr<bool> OutputFiles::RemoveCertificate() const {
  return client::RemoveFile(paths_.certificate);
}

}  // namespace hourglass::broker
