#include "tools/bench/load/broker_connection.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hourglass::bench {
namespace {

std::shared_ptr<grpc::Channel> ChannelTo(const LoadTarget& target) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = target.trusted_roots;
  options.pem_cert_chain = target.certificate_chain;
  options.pem_private_key = target.private_key;
  grpc::ChannelArguments arguments;
  // Else channels to one address share a connection.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(target.address, grpc::SslCredentials(options), arguments);
}

}  // namespace

BrokerConnection::BrokerConnection(const LoadTarget& target)
    : channel(ChannelTo(target)), stub(channel) {}

absl::StatusOr<std::vector<std::unique_ptr<BrokerConnection>>> ConnectBrokers(
    const std::vector<LoadTarget>& targets, int connections) {
  const auto deadline = std::chrono::system_clock::now() + kLoadDeadline;
  std::vector<std::unique_ptr<BrokerConnection>> made;
  for (int i = 0; i < connections; ++i) {
    for (const LoadTarget& target : targets) {
      made.push_back(std::make_unique<BrokerConnection>(target));
      (void)made.back()->channel->GetState(/*try_to_connect=*/true);
    }
  }
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (!made[i]->channel->WaitForConnected(deadline)) {
      return absl::UnavailableError(
          absl::StrCat("no connection to ", targets[i % targets.size()].address));
    }
  }
  return made;
}

OperationThread::OperationThread(int niceness)
    : thread_([this, niceness] {
        BeNice(niceness);
        void* tag = nullptr;
        for (bool ok = false; queue_.Next(&tag, &ok);) static_cast<Operation*>(tag)->Done(ok);
      }) {}

OperationThread::~OperationThread() {
  queue_.Shutdown();
  thread_.join();
}

void BeNice(int niceness) {
  if (niceness > 0) (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), niceness);
}

}  // namespace hourglass::bench
