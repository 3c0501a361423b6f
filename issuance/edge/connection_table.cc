#include "issuance/edge/connection_table.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace hourglass::issuance {

std::optional<ConnectionTable::Id> ConnectionTable::Strangers::Oldest() const {
  if (!silent.empty()) return *silent.begin();
  if (!handshaking.empty()) return *handshaking.begin();
  return std::nullopt;
}

void ConnectionTable::Strangers::Move(Id id, ConnectionStage from, ConnectionStage to) {
  if (from == ConnectionStage::kSilent) silent.erase(id);
  if (from == ConnectionStage::kHandshaking) handshaking.erase(id);
  if (to == ConnectionStage::kSilent) silent.insert(id);
  if (to == ConnectionStage::kHandshaking) handshaking.insert(id);
}

// The one that must go before one more of this source may come.
std::optional<ConnectionTable::Id> ConnectionTable::OneTooMany(const std::string& source) const {
  const auto found = sources_.find(source);
  if (found != sources_.end() && (found->second.connections >= limits_.per_source ||
                                  found->second.strangers.size() >= limits_.strangers_per_source)) {
    return found->second.strangers.Oldest();
  }
  if (counted_ >= limits_.in_all || strangers_.size() >= limits_.strangers) {
    return strangers_.Oldest();
  }
  return std::nullopt;
}

bool ConnectionTable::IsFull(const std::string& source) const {
  const auto found = sources_.find(source);
  return counted_ >= limits_.in_all ||
         (found != sources_.end() && found->second.connections >= limits_.per_source);
}

ConnectionTable::Added ConnectionTable::Add(Descriptor socket, PeerAddress peer, Time now,
                                            bool is_own) {
  const MutexLock lock(mutex_);
  Added added;
  if (!is_own) {
    // At most twice: room in the source, and room in all.
    for (int i = 0; i < 2; ++i) {
      const std::optional<Id> leaving = OneTooMany(peer.source);
      if (!leaving.has_value()) break;
      added.ended.push_back(
          Take(*leaving, absl::ResourceExhaustedError("a newer connection needed the room")));
    }
    if (IsFull(peer.source)) {
      added.ended.push_back(EndedConnection{
          std::move(socket), peer.name, ConnectionStage::kSilent, false, nullptr,
          absl::ResourceExhaustedError("there are as many connections as there may be")});
      return added;
    }
  }
  const Id id = next_++;
  Connection& connection = connections_[id];
  connection.socket = std::move(socket);
  connection.peer = std::move(peer);
  connection.added = now;
  connection.is_own = is_own;
  connection.is_quiet = is_own;
  if (!is_own) {
    ++counted_;
    Source& source = sources_[connection.peer.source];
    ++source.connections;
    source.strangers.silent.insert(id);
    strangers_.silent.insert(id);
  }
  added.id = id;
  return added;
}

int ConnectionTable::SocketOf(Id id) const {
  const MutexLock lock(mutex_);
  const auto found = connections_.find(id);
  return found == connections_.end() ? -1 : found->second.socket.get();
}

ConnectionTable::Connection* ConnectionTable::Find(const std::string& random) {
  const auto found = by_random_.find(random);
  return found == by_random_.end() ? nullptr : &connections_.at(found->second);
}

void ConnectionTable::MoveTo(Id id, Connection& connection, ConnectionStage stage) {
  if (!connection.is_own) {
    strangers_.Move(id, connection.stage, stage);
    sources_.at(connection.peer.source).strangers.Move(id, connection.stage, stage);
  }
  connection.stage = stage;
}

bool ConnectionTable::BeginHandshake(Id id, const std::string& random) {
  const MutexLock lock(mutex_);
  const auto found = connections_.find(id);
  if (found == connections_.end() || !by_random_.emplace(random, id).second) return false;
  found->second.random = random;
  MoveTo(id, found->second, ConnectionStage::kHandshaking);
  return true;
}

std::string ConnectionTable::PeerOf(const std::string& random) const {
  const MutexLock lock(mutex_);
  const auto found = by_random_.find(random);
  return found == by_random_.end() ? "" : connections_.at(found->second).peer.name;
}

std::string ConnectionTable::CallerOf(const std::string& random) const {
  const MutexLock lock(mutex_);
  const auto found = by_random_.find(random);
  if (found == by_random_.end()) return "";
  const auto& admitted = connections_.at(found->second).admitted;
  return admitted == nullptr ? "" : admitted->caller->name;
}

bool ConnectionTable::IsAdministrators(const std::string& random) const {
  const MutexLock lock(mutex_);
  const auto found = by_random_.find(random);
  if (found == by_random_.end()) return false;
  const auto& admitted = connections_.at(found->second).admitted;
  if (admitted == nullptr) return false;
  const std::vector<Role>& roles = admitted->caller->roles;
  return std::find(roles.begin(), roles.end(), Role::kAdministrator) != roles.end();
}

bool ConnectionTable::Admit(const std::string& random, AdmittedPeer admitted) {
  const MutexLock lock(mutex_);
  Connection* const connection = Find(random);
  if (connection == nullptr) return false;
  connection->admitted = std::make_shared<AdmittedPeer>(std::move(admitted));
  return true;
}

void ConnectionTable::Prove(const std::string& random) {
  const MutexLock lock(mutex_);
  Connection* const connection = Find(random);
  if (connection == nullptr || connection->admitted == nullptr) return;
  MoveTo(by_random_.at(random), *connection, ConnectionStage::kProved);
}

void ConnectionTable::KeepQuiet(const std::string& random) {
  const MutexLock lock(mutex_);
  if (Connection* const connection = Find(random)) connection->is_quiet = true;
}

void ConnectionTable::Send(const std::string& random, absl::string_view octets) const {
  const MutexLock lock(mutex_);
  const auto found = by_random_.find(random);
  if (found == by_random_.end()) return;
  // A peer that takes nothing gets nothing.
  static_cast<void>(send(connections_.at(found->second).socket.get(), octets.data(), octets.size(),
                         MSG_DONTWAIT | MSG_NOSIGNAL) < 0);
}

EndedConnection ConnectionTable::Take(Id id, const absl::Status& why) {
  const auto found = connections_.find(id);
  Connection& connection = found->second;
  EndedConnection ended{std::move(connection.socket), connection.peer.name, connection.stage,
                        connection.is_quiet,          connection.admitted,  why};
  if (!connection.random.empty()) by_random_.erase(connection.random);
  if (!connection.is_own) {
    strangers_.Move(id, connection.stage, ConnectionStage::kProved);
    const auto source = sources_.find(connection.peer.source);
    source->second.strangers.Move(id, connection.stage, ConnectionStage::kProved);
    if (--source->second.connections == 0) sources_.erase(source);
    --counted_;
  }
  connections_.erase(found);
  return ended;
}

std::optional<EndedConnection> ConnectionTable::Remove(Id id, const absl::Status& why) {
  const MutexLock lock(mutex_);
  if (connections_.find(id) == connections_.end()) return std::nullopt;
  return Take(id, why);
}

std::vector<EndedConnection> ConnectionTable::RemoveStrangers(Time before) {
  const MutexLock lock(mutex_);
  std::vector<Id> late;
  for (const auto& [id, connection] : connections_) {
    if (connection.stage != ConnectionStage::kProved && connection.added < before) {
      late.push_back(id);
    }
  }
  std::vector<EndedConnection> ended;
  for (const Id id : late) {
    ended.push_back(Take(id, absl::DeadlineExceededError("the TLS handshake took too long")));
  }
  return ended;
}

std::vector<EndedConnection> ConnectionTable::RemoveRefused(
    const std::function<absl::Status(const AdmittedPeer&)>& check) {
  std::vector<std::pair<Id, std::shared_ptr<const AdmittedPeer>>> callers;
  {
    const MutexLock lock(mutex_);
    for (const auto& [id, connection] : connections_) {
      if (connection.admitted != nullptr) callers.emplace_back(id, connection.admitted);
    }
  }
  // Without the lock: handshakes wait for it.
  std::vector<EndedConnection> ended;
  for (const auto& [id, admitted] : callers) {
    const absl::Status status = check(*admitted);
    if (status.ok()) continue;
    std::optional<EndedConnection> removed = Remove(id, status);
    if (removed.has_value()) ended.push_back(*std::move(removed));
  }
  return ended;
}

int ConnectionTable::size() const {
  const MutexLock lock(mutex_);
  return static_cast<int>(connections_.size());
}

}  // namespace hourglass::issuance
