// Services whose calls of one message reach their methods also when the message cannot be read.
#ifndef HOURGLASS_ISSUANCE_CALLS_UNARY_SERVICE_H_
#define HOURGLASS_ISSUANCE_CALLS_UNARY_SERVICE_H_

#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "issuance/calls/call_context.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/malformed_message.h"
#include "issuance/calls/read_message.h"
#include "issuance/identity/caller.h"
#include "issuance/identity/methods.h"

namespace hourglass::issuance {

// A message as it came in. gRPC would answer one that cannot be read by itself, with UNIMPLEMENTED,
// without a reason, and nobody would know who sent it.
template <typename Message>
struct Asked {
  Message message;
  // False where the octets are no such message, or a text in it is no UTF-8; `message` is of no use
  // then.
  bool is_sound = false;
  std::size_t size = 0;  // octets on the wire, or in memory (HeldBy)
};

// The tenant that a request names; empty where it cannot name one.
template <typename Request>
absl::string_view TenantIdIn(const Request& request) {
  if constexpr (requires { request.tenant_id(); }) {
    return request.tenant_id();
  } else {
    return "";
  }
}

// A service of the contract, `Api`, whose methods are served by callbacks. `Base` is Api::Service,
// or what marks those methods that this class is not to serve.
template <typename Api, typename Base = typename Api::Service>
class UnaryService : public Base {
 protected:
  // Lets `self->answer` answer the method of this name, called by callers that Methods() has for
  // it; both must outlive the service. A message that cannot be read is refused with FIELD_INVALID,
  // and logged as every call that fails. Ends the process where the contract or Methods() has no
  // such method.
  template <typename Self, typename Request, typename Response>
  void Serve(CallRunner* calls, Self* self, const char* name,
             absl::Status (Self::*answer)(const Caller&, const Request&, Response*)) {
    ServeAs(calls, self, name, MethodNamed(name), answer);
  }

  // The same where callers are let in and wait as `method` says, which must outlive the service.
  template <typename Self, typename Request, typename Response>
  void ServeAs(CallRunner* calls, Self* self, const char* name, const Method& method,
               absl::Status (Self::*answer)(const Caller&, const Request&, Response*)) {
    ServeAny<Request, Response>(name, [calls, self, &method, answer](const CallContext& context,
                                                                     const Asked<Request>& asked,
                                                                     Response* response) {
      if (!asked.is_sound) {
        return calls->Refuse(context, method.name,
                             context.context->IsCancelled()
                                 ? absl::CancelledError("given up before its message came")
                                 : MalformedMessage(Request::descriptor()->name()));
      }
      return calls->Run(context, method, TenantIdIn(asked.message),
                        [self, answer, &request = asked.message, response](const Caller& caller) {
                          return (self->*answer)(caller, request, response);
                        });
    });
  }

  // The same with `run(context, asked, response)`, which looks itself whether the message is sound.
  template <typename Request, typename Response, typename Run>
  void ServeAny(const char* method, Run run) {
    const auto answer = [run](grpc::CallbackServerContext* context, const Asked<Request>* asked,
                              Response* response) -> grpc::ServerUnaryReactor* {
      return run(CallContext{context, response, asked->size}, *asked, response);
    };
    this->MarkMethodCallback(
        IndexOfMethod(Api::service_full_name(), method),
        new grpc::internal::CallbackUnaryHandler<Asked<Request>, Response>(answer));
  }

  // The same for a method whose one message is answered by a stream: `open(context, asked)` returns
  // the reactor, which looks itself who calls, whether he may, and whether the message is sound.
  template <typename Request, typename Response, typename Open>
  void ServeStream(const char* method, Open open) {
    const auto answer = [open](grpc::CallbackServerContext* context,
                               const Asked<Request>* asked) -> grpc::ServerWriteReactor<Response>* {
      return open(context, *asked);
    };
    this->MarkMethodCallback(
        IndexOfMethod(Api::service_full_name(), method),
        new grpc::internal::CallbackServerStreamingHandler<Asked<Request>, Response>(answer));
  }
};

}  // namespace hourglass::issuance

namespace grpc {

// Never fails: what the octets are worth is in the result.
template <typename Message>
class SerializationTraits<hourglass::issuance::Asked<Message>> {
 public:
  static Status Deserialize(ByteBuffer* octets, hourglass::issuance::Asked<Message>* asked) {
    asked->size = octets->Length();
    asked->is_sound = hourglass::issuance::ReadMessage(octets, &asked->message);
    asked->size = hourglass::issuance::HeldBy(asked->message, asked->size);
    return Status::OK;
  }
};

}  // namespace grpc

#endif  // HOURGLASS_ISSUANCE_CALLS_UNARY_SERVICE_H_
