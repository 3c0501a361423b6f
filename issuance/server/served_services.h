// Part of the running service: what a listener serves.
#ifndef HOURGLASS_ISSUANCE_SERVER_SERVED_SERVICES_H_
#define HOURGLASS_ISSUANCE_SERVER_SERVED_SERVICES_H_

#include <grpcpp/server_builder.h>

#include <chrono>

#include "issuance/edge/transport/open_calls.h"

namespace hourglass::issuance {

// gRPC services with the threads and bounds of their calls.
class ServedServices {
 public:
  // The server that they are registered with must be gone.
  virtual ~ServedServices() = default;
  ServedServices(const ServedServices&) = delete;
  ServedServices& operator=(const ServedServices&) = delete;

  // Gives the builder all services.
  virtual void RegisterWith(grpc::ServerBuilder& builder) = 0;

  // What connections may have under way, for the edge.
  virtual OpenCalls* open_calls() = 0;

  // From now on calls are refused with STOPPING, and streams end when what they have read is
  // answered, or what they are sending is sent. Returns when every call that was taken is answered,
  // or after `grace`.
  virtual void StopTakingCalls(std::chrono::milliseconds grace) = 0;

 protected:
  ServedServices() = default;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_SERVED_SERVICES_H_
