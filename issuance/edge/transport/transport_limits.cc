#include "issuance/edge/transport/transport_limits.h"

#include <grpc/compression.h>
#include <grpc/grpc.h>
#include <grpcpp/resource_quota.h>

#include "issuance/edge/transport/message_size.h"

namespace hourglass::issuance {
namespace {

// A client may ping every ten seconds while it has calls; who pings more often, or without any, is
// sent away (GOAWAY with ENHANCE_YOUR_CALM) at the third time.
constexpr int kPingIntervalMilliseconds = 10'000;
constexpr int kPingStrikes = 2;

// A peer that is gone without a word is noticed within this and the time for the answer.
constexpr int kKeepaliveMilliseconds = 5 * 60 * 1000;
constexpr int kKeepaliveTimeoutMilliseconds = 20'000;

}  // namespace

void LimitTransport(grpc::ServerBuilder& builder) {
  // Less for most, who are told which (issuance/calls/read_message.h).
  builder.SetMaxReceiveMessageSize(kMaxImportSize);
  // The size is that of the octets that come: 60 kB of them can be 60 MB of nothing.
  for (const auto algorithm : {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP}) {
    builder.SetCompressionAlgorithmSupportStatus(algorithm, false);
  }
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxConcurrentStreams);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataSize);
  // A stream's window stays what it is at first, 64 KiB, however fast the peer sends: a message
  // needs no more.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kPingIntervalMilliseconds);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, kPingStrikes);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMilliseconds);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMilliseconds);
  grpc::ResourceQuota quota("hourglass");
  quota.Resize(kTransportMemory);
  builder.SetResourceQuota(quota);
}

}  // namespace hourglass::issuance
