#include "tests/support/listing_flood.h"

#include <optional>

namespace hourglass {

struct ListingFlood::Call {
  v1::JournalService::Stub* stub = nullptr;
  std::mutex mutex;
  std::optional<grpc::ClientContext> context;  // guarded by mutex
  v1::ListCertificatesResponse response;
};

ListingFlood::ListingFlood(const Options& options) {
  request_.set_tenant_id(options.tenant_id);
  request_.set_page_size(1000);
  grpc::SslCredentialsOptions credentials;
  credentials.pem_root_certs = options.trusted_roots;
  credentials.pem_cert_chain = options.certificate_chain;
  credentials.pem_private_key = options.private_key;
  for (int i = 0; i < options.connections; ++i) {
    grpc::ChannelArguments arguments;
    // Or they would all share one.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxReceiveMessageSize(-1);
    stubs_.push_back(v1::JournalService::NewStub(
        grpc::CreateCustomChannel(options.address, grpc::SslCredentials(credentials), arguments)));
  }
  outstanding_ = options.outstanding;
  for (int i = 0; i < options.outstanding; ++i) {
    calls_.push_back(std::make_unique<Call>());
    calls_.back()->stub = stubs_[static_cast<std::size_t>(i) % stubs_.size()].get();
  }
  for (const auto& call : calls_) Send(call.get());
}

ListingFlood::~ListingFlood() {
  stopping_ = true;
  for (const auto& call : calls_) {
    const std::lock_guard lock(call->mutex);
    if (call->context.has_value()) call->context->TryCancel();
  }
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return outstanding_ == 0; });
}

void ListingFlood::Send(Call* call) {
  grpc::ClientContext* context = nullptr;
  {
    const std::lock_guard lock(call->mutex);
    call->context.emplace();
    context = &*call->context;
    if (stopping_) context->TryCancel();
  }
  call->stub->async()->ListCertificates(context, &request_, &call->response,
                                        [this, call](const grpc::Status& status) {
                                          ++(status.ok() ? answered_ : refused_);
                                          if (!stopping_) return Send(call);
                                          const std::lock_guard lock(mutex_);
                                          if (--outstanding_ == 0) ended_.notify_all();
                                        });
}

}  // namespace hourglass
