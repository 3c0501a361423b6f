// Hears of what other processes on the same database change.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_CHANGE_LISTENER_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_CHANGE_LISTENER_H_

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/tenant_changes.h"

namespace hourglass::issuance::postgresql {

struct ListenerTimes {
  // After so long without a word the server is asked for one: a connection that is only half there
  // is noticed within this and the operation timeout.
  std::chrono::milliseconds keep_alive = std::chrono::seconds(5);
  // Before a second attempt to connect; doubled for each one after that, up to the longest.
  std::chrono::milliseconds first_pause = std::chrono::milliseconds(100);
  std::chrono::milliseconds longest_pause = std::chrono::seconds(5);
};

// A thread with a connection of its own, which publishes the tenant of each notice
// (issuance/store/postgresql/tables/postgresql_tenant_notices.h). Notices of the time without a
// connection are lost: all tenants are published once there is one again.
class ChangeListener {
 public:
  using Connect = std::function<absl::StatusOr<std::unique_ptr<Connection>>()>;
  // Told after each attempt to listen how it went, and why a connection that was there is not any
  // more.
  using Observer = std::function<void(const absl::Status&)>;

  // Listens when it returns: no notice after that is missed but with its connection. `changes` must
  // outlive the listener. Errors: JOURNAL_UNAVAILABLE.
  static absl::StatusOr<std::unique_ptr<ChangeListener>> Start(Connect connect,
                                                               const TenantChanges* changes,
                                                               Observer observer,
                                                               const ListenerTimes& times = {});
  // Waits for no pause, and for a round trip that goes on at most.
  ~ChangeListener();
  ChangeListener(const ChangeListener&) = delete;
  ChangeListener& operator=(const ChangeListener&) = delete;

 private:
  // A descriptor that becomes readable for good.
  class Bell {
   public:
    Bell();
    ~Bell();
    Bell(const Bell&) = delete;
    Bell& operator=(const Bell&) = delete;
    int file() const { return file_; }  // negative where this machine had none left
    void Ring() const;

   private:
    const int file_;
  };
  enum class Woken { kToEnd, kBySocket, kByTime };

  ChangeListener(Connect connect, const TenantChanges* changes, Observer observer,
                 const ListenerTimes& times);
  void Run();
  absl::StatusOr<std::unique_ptr<Connection>> BeginListening() const;
  absl::Status PublishAll(Connection& connection) const;
  // Until the end (OK) or until the connection is lost.
  absl::Status Listen(Connection& connection) const;
  // `socket` may be negative, for none.
  Woken Wait(int socket, std::chrono::milliseconds time) const;

  const Connect connect_;
  const TenantChanges& changes_;
  const Observer observer_;
  const ListenerTimes times_;
  const Bell end_;
  std::unique_ptr<Connection> connection_;  // of the thread, once that runs
  std::thread thread_;                      // the last: it uses what is above
};

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_CHANGE_LISTENER_H_
