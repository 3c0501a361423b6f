// The files that a certificate and its key end up in.
#ifndef HOURGLASS_TOOLS_BROKER_OUTPUT_FILES_H_
#define HOURGLASS_TOOLS_BROKER_OUTPUT_FILES_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "tools/broker/asking.h"
#include "tools/client/files.h"

namespace hourglass::broker {

// `-` is standard output.
struct OutputPaths {
  std::string certificate;
  std::string key;    // empty: no key is made. The same as `certificate`: both in one file
  std::string chain;  // empty: not written
};

// Writes a key before its certificate is asked for, and puts both in place together. Not for
// several threads.
//
// Two files cannot be renamed in one step: between the two renames, with nothing between them, a
// reader sees the new key beside the old certificate. The certificate comes last, so that who waits
// for it to change finds everything new. Where certificate and key share one file, there is no such
// instant.
class OutputFiles {
 public:
  explicit OutputFiles(OutputPaths paths) : paths_(std::move(paths)) {}

  // Writes the key durably beside its place, mode 0600, where it waits for its certificate; taken
  // away with this object otherwise. Errors: FIELD_INVALID.
  absl::Status StageKey(std::string private_key_pem);

  // Fails with FIELD_INVALID where the certificate could not be written.
  absl::Status CheckWritable() const;

  // Replaces the key staged last, the chain and the certificate, all PEM. The certificate's file is
  // readable for all unless it holds the key. Errors: FIELD_INVALID; where that comes before the
  // first rename, nothing has changed.
  absl::Status Replace(const IssuedCertificate& issued);

  // When the certificate that is in place expires, by its own words; nullopt where none is to be
  // read.
  std::optional<absl::Time> ExpiryInPlace() const;

  // Removes the certificate; false if it was gone already. Errors: FIELD_INVALID.
  absl::StatusOr<bool> RemoveCertificate() const;

  const OutputPaths& paths() const { return paths_; }

 private:
  bool SharesOneFile() const { return !paths_.key.empty() && paths_.key == paths_.certificate; }

  OutputPaths paths_;
  std::string private_key_pem_;
  std::optional<client::StagedFile> staged_key_;
};

}  // namespace hourglass::broker

#endif  // HOURGLASS_TOOLS_BROKER_OUTPUT_FILES_H_
