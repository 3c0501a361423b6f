#include "tests/support/health_client.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <future>

namespace hourglass {

// Debian ships no health.proto; HealthCheckRequest is empty, and HealthCheckResponse has one enum
// in field 1.
std::string CheckHealth(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  grpc::ByteBuffer request(nullptr, 0);
  grpc::ByteBuffer response;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", grpc::StubOptions(), &request, &response,
                 [&done](grpc::Status status) { done.set_value(std::move(status)); });
  const grpc::Status status = done.get_future().get();
  if (!status.ok()) return status.error_message();
  grpc::Slice slice;
  response.DumpToSingleSlice(&slice);
  const std::string octets(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return octets == "\x08\x01" ? "SERVING" : octets == "\x08\x02" ? "NOT_SERVING" : "UNKNOWN";
}

}  // namespace hourglass
