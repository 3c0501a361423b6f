// What verdicts read of the store, read a little earlier for whoever needs it before them.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_FACTS_READ_AHEAD_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_FACTS_READ_AHEAD_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "issuance/base/clock.h"
#include "issuance/store/access_records.h"
#include "issuance/store/access_store.h"

namespace hourglass::issuance {

// Whoever issues looks at the facts of a request before he asks for its verdict, and whoever
// decides in this process needs the same ones: so that this costs one read of the store, the second
// look is given what the first one read. Each read is given on once, on the thread that made it,
// and within its batch: so every verdict is by facts that were read for it, after its request had
// come. Safe to call from several threads.
class FactsReadAhead final : public DecisionFactsStore {
 public:
  // `store` must outlive this object.
  explicit FactsReadAhead(DecisionFactsStore* store) : store_(store) {}

  // What a batch of this thread has read of just this subject and not given yet; else what the
  // store says now. A block that ends between the two looks is still given.
  absl::StatusOr<DecisionFacts> ReadDecisionFacts(const DecisionSubject& subject,
                                                  Timestamp now) override;

  // From its beginning to its end on one thread, which has no other meanwhile.
  class Batch {
   public:
    // `facts` must outlive this object. It may be null: then nothing may be read.
    explicit Batch(FactsReadAhead* facts);
    ~Batch();
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;

    // As the store's. What is returned lives until somebody is given it, or this ends.
    absl::StatusOr<const DecisionFacts*> Read(const DecisionSubject& subject, Timestamp now);

   private:
    friend class FactsReadAhead;
    struct Entry {
      std::string tenant_id;
      std::string user_id;
      std::string user_upn;
      std::string device_id;
      DecisionFacts facts;
    };

    FactsReadAhead* const facts_;
    std::vector<std::unique_ptr<Entry>> entries_;  // in the order of their reads
  };

 private:
  DecisionFactsStore* const store_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_FACTS_READ_AHEAD_H_
