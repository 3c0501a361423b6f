// What one connection may cost: the settings of gRPC's transport.
#ifndef HOURGLASS_ISSUANCE_EDGE_TRANSPORT_TRANSPORT_LIMITS_H_
#define HOURGLASS_ISSUANCE_EDGE_TRANSPORT_TRANSPORT_LIMITS_H_

#include <grpcpp/server_builder.h>

#include <cstddef>

namespace hourglass::issuance {

// Calls and streams under way on a connection (RFC 9113 section 5.1.2).
inline constexpr int kMaxConcurrentStreams = 256;

// Octets of the header fields of a call, as RFC 9113 section 6.5.2 counts them.
inline constexpr int kMaxMetadataSize = 8 * 1024;

// Octets that all connections' buffers, and the messages in them, may take, as gRPC counts them.
inline constexpr std::size_t kTransportMemory = std::size_t{256} * 1024 * 1024;

// Sets these, and what a connection may do without calls: pings, settings, silence. Compressed
// messages are refused with UNIMPLEMENTED.
void LimitTransport(grpc::ServerBuilder& builder);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_EDGE_TRANSPORT_TRANSPORT_LIMITS_H_
