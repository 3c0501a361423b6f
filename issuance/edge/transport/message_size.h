// How large a message may be.
#ifndef HOURGLASS_ISSUANCE_EDGE_TRANSPORT_MESSAGE_SIZE_H_
#define HOURGLASS_ISSUANCE_EDGE_TRANSPORT_MESSAGE_SIZE_H_

namespace hourglass::issuance {

// Octets of a message; the largest sound one, a request with a PKCS#10 of 16 KiB, has less than
// 18 KiB.
inline constexpr int kMaxMessageSize = 64 * 1024;

// The same of one that brings what another system exports, such as users, which only administrators
// may send. gRPC itself answers a larger one with RESOURCE_EXHAUSTED.
inline constexpr int kMaxImportSize = 4 * 1024 * 1024;

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_EDGE_TRANSPORT_MESSAGE_SIZE_H_
