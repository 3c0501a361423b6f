// Certificate revocation lists (RFC 5280 section 5) of those who issue callers' certificates.
#ifndef HOURGLASS_ISSUANCE_IDENTITY_REVOCATION_LISTS_H_
#define HOURGLASS_ISSUANCE_IDENTITY_REVOCATION_LISTS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"
#include "issuance/base/clock.h"
#include "issuance/identity/caller_certificate.h"
#include "issuance/log/event_log.h"

namespace hourglass::issuance {

// Lists kept in files, read again when a file has changed. A list counts only if one of the trusted
// certificates signed it and may (key usage cRLSign), it has a nextUpdate, and no critical
// extension that is not understood here: no deltas, no lists of part of the certificates. Once a
// file has been read, what replaces it is taken only if it is sound and not older; else the file's
// last sound content stays. Safe to use from several threads.
class RevocationLists {
 public:
  // `files`: each PEM, with any number of lists, or DER with one. `trusted_certificates`: PEM.
  // Paths are named by their place as `tls.revocation_lists[i]`. Errors: CONFIGURATION_INVALID.
  static absl::StatusOr<std::unique_ptr<RevocationLists>> Read(
      const std::vector<std::string>& files, absl::string_view trusted_certificates);

  ~RevocationLists();
  RevocationLists(const RevocationLists&) = delete;
  RevocationLists& operator=(const RevocationLists&) = delete;

  // CALLER_REFUSED where a list of the certificate's issuer names it, or is not current: before its
  // thisUpdate and after its nextUpdate nothing that its issuer signed is let in. An issuer without
  // a list revokes nothing.
  absl::Status Check(const CertificateSerial& certificate, Timestamp now) const;

  // Reads the files that have changed. Logs `revocation_list_read`, `revocation_list_failed`, and
  // once for each list that has run out `revocation_list_expired`. For one thread.
  void Refresh(Timestamp now, const EventLog& log);

 private:
  struct List;
  struct File;

  RevocationLists();

  absl::Status ReadAnew(File& file) const;

  std::string trusted_certificates_;
  mutable SharedMutex mutex_;
  std::vector<File> files_;  // their lists are changed with mutex_ held, by Refresh alone
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_IDENTITY_REVOCATION_LISTS_H_
