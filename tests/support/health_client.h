// The health of a service, as a load balancer asks for it.
#ifndef HOURGLASS_TESTS_SUPPORT_HEALTH_CLIENT_H_
#define HOURGLASS_TESTS_SUPPORT_HEALTH_CLIENT_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>

namespace hourglass {

// What grpc.health.v1.Health/Check says of the whole server: `SERVING`, `NOT_SERVING`, or the
// error's message.
std::string CheckHealth(const std::shared_ptr<grpc::Channel>& channel);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_HEALTH_CLIENT_H_
