// A call of one message, as it came in.
#ifndef HOURGLASS_ISSUANCE_CALLS_CALL_CONTEXT_H_
#define HOURGLASS_ISSUANCE_CALLS_CALL_CONTEXT_H_

#include <google/protobuf/message_lite.h>
#include <grpcpp/server_context.h>

#include <cstddef>

namespace hourglass::issuance {

// What is pointed to lives as long as the call.
struct CallContext {
  grpc::CallbackServerContext* context;
  // The method fills it; it is sent when the method succeeds.
  const google::protobuf::MessageLite* response;
  // Of the message, octets, as Asked (issuance/calls/unary_service.h) has them.
  std::size_t request_size;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CALLS_CALL_CONTEXT_H_
