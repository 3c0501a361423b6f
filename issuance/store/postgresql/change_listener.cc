#include "issuance/store/postgresql/change_listener.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/tables/postgresql_tenant_notices.h"
#include "issuance/store/postgresql/tables/postgresql_tenants.h"
#include "issuance/store/records.h"

namespace hourglass::issuance::postgresql {

ChangeListener::Bell::Bell() : file_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

ChangeListener::Bell::~Bell() {
  if (file_ >= 0) close(file_);
}

void ChangeListener::Bell::Ring() const { eventfd_write(file_, 1); }

ChangeListener::ChangeListener(Connect connect, const TenantChanges* changes, Observer observer,
                               const ListenerTimes& times)
    : connect_(std::move(connect)),
      changes_(*changes),
      observer_(std::move(observer)),
      times_(times) {}

absl::StatusOr<std::unique_ptr<ChangeListener>> ChangeListener::Start(Connect connect,
                                                                      const TenantChanges* changes,
                                                                      Observer observer,
                                                                      const ListenerTimes& times) {
  std::unique_ptr<ChangeListener> listener(
      new ChangeListener(std::move(connect), changes, std::move(observer), times));
  if (listener->end_.file() < 0) {
    return Error(ErrorReason::kJournalUnavailable, "",
                 "there is no file descriptor left to listen to the database with");
  }
  ASSIGN_OR_RETURN(listener->connection_, listener->BeginListening());
  listener->thread_ = std::thread([raw = listener.get()] { raw->Run(); });
  return listener;
}

ChangeListener::~ChangeListener() {
  if (!thread_.joinable()) return;
  end_.Ring();
  thread_.join();
}

absl::StatusOr<std::unique_ptr<Connection>> ChangeListener::BeginListening() const {
  ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection, connect_());
  RETURN_IF_ERROR(connection->Execute(absl::StrCat("LISTEN ", kTenantChannel)));
  return connection;
}

absl::Status ChangeListener::PublishAll(Connection& connection) const {
  ASSIGN_OR_RETURN(const std::vector<TenantRecord> tenants, ListTenants(connection));
  for (const TenantRecord& tenant : tenants) changes_.Publish(tenant.tenant_id);
  return absl::OkStatus();
}

void ChangeListener::Run() {
  absl::Status lost = Listen(*connection_);
  std::chrono::milliseconds pause = times_.first_pause;
  while (!lost.ok()) {
    connection_.reset();
    observer_(lost);
    if (Wait(-1, pause) == Woken::kToEnd) return;
    pause = std::min(pause * 2, times_.longest_pause);
    absl::StatusOr<std::unique_ptr<Connection>> connection = BeginListening();
    // Only now: what is changed after it was read is told of.
    if (connection.ok()) lost = PublishAll(**connection);
    if (!connection.ok()) lost = connection.status();
    if (!lost.ok()) continue;
    connection_ = *std::move(connection);
    observer_(absl::OkStatus());
    pause = times_.first_pause;
    lost = Listen(*connection_);
  }
}

absl::Status ChangeListener::Listen(Connection& connection) const {
  for (;;) {
    // Before each wait: poll(2) does not know of what was read from the socket already.
    ASSIGN_OR_RETURN(const std::vector<Notification> notices, connection.TakeNotifications());
    std::set<std::string> tenants;
    for (const Notification& notice : notices) tenants.insert(notice.payload);
    for (const std::string& tenant_id : tenants) changes_.Publish(tenant_id);
    const Woken woken = Wait(connection.socket(), times_.keep_alive);
    if (woken == Woken::kToEnd) return absl::OkStatus();
    if (woken == Woken::kByTime) RETURN_IF_ERROR(connection.QueryInteger("SELECT 1").status());
  }
}

ChangeListener::Woken ChangeListener::Wait(int socket, std::chrono::milliseconds time) const {
  pollfd files[] = {{end_.file(), POLLIN, 0}, {socket, POLLIN, 0}};
  // A signal may make the wait longer, and nothing else.
  int ready = 0;
  while ((ready = poll(files, 2, static_cast<int>(time.count()))) < 0 && errno == EINTR) continue;
  if (files[0].revents != 0) return Woken::kToEnd;
  return ready == 0 ? Woken::kByTime : Woken::kBySocket;
}

}  // namespace hourglass::issuance::postgresql
