#include "issuance/compliance/facts_read_ahead.h"

#include <algorithm>
#include <utility>

#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

thread_local FactsReadAhead::Batch* batch_of_this_thread = nullptr;

}  // namespace

FactsReadAhead::Batch::Batch(FactsReadAhead* facts) : facts_(facts) { batch_of_this_thread = this; }

FactsReadAhead::Batch::~Batch() { batch_of_this_thread = nullptr; }

absl::StatusOr<const DecisionFacts*> FactsReadAhead::Batch::Read(const DecisionSubject& subject,
                                                                 Timestamp now) {
  ASSIGN_OR_RETURN(DecisionFacts facts, facts_->store_->ReadDecisionFacts(subject, now));
  entries_.push_back(std::make_unique<Entry>(
      Entry{std::string(subject.tenant_id), std::string(subject.user_id),
            std::string(subject.user_upn), std::string(subject.device_id), std::move(facts)}));
  return &entries_.back()->facts;
}

absl::StatusOr<DecisionFacts> FactsReadAhead::ReadDecisionFacts(const DecisionSubject& subject,
                                                                Timestamp now) {
  Batch* const batch = batch_of_this_thread;
  if (batch == nullptr || batch->facts_ != this) return store_->ReadDecisionFacts(subject, now);
  const auto found = std::find_if(batch->entries_.begin(), batch->entries_.end(),
                                  [&subject](const std::unique_ptr<Batch::Entry>& entry) {
                                    return entry->device_id == subject.device_id &&
                                           entry->user_upn == subject.user_upn &&
                                           entry->user_id == subject.user_id &&
                                           entry->tenant_id == subject.tenant_id;
                                  });
  if (found == batch->entries_.end()) return store_->ReadDecisionFacts(subject, now);
  DecisionFacts facts = std::move((*found)->facts);
  batch->entries_.erase(found);
  return facts;
}

}  // namespace hourglass::issuance
