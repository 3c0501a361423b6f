// Whether others can change the files that decide what this service does.
#ifndef HOURGLASS_ISSUANCE_BASE_FILE_TRUST_H_
#define HOURGLASS_ISSUANCE_BASE_FILE_TRUST_H_

#include <string>

namespace hourglass::issuance {

// Who may change a file or folder that is there: only root and this process's effective user.
// Says who else may, as a mistake: it, or the folder that it is in, belongs to another user; it, or
// any folder above it or above what a symbolic link on the way leads to, may be written by its
// group or by everybody. Empty if nobody else may, or if it is not there.
//
// Fine are: a sticky folder above it, such as /tmp, where others cannot replace it; a group that is
// its owner's own and has no other member; a file system that is mounted read-only; in a user
// namespace, owners that it does not know, which the namespace's root is not either. Who owns a
// folder further up is not looked at.
std::string MistakeInTrust(const std::string& path);

// The same of a file that is yet to be made there: of the folder that it is to be in, which may be
// sticky.
std::string MistakeInTrustOfPlace(const std::string& path);

// MistakeInTrust of a file or folder that is for another account's use: whoever owns it, as long as
// neither its group nor everybody may write it.
std::string MistakeInWriters(const std::string& path);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_BASE_FILE_TRUST_H_
