// Policies and facts at random, from so few ids and values that they meet.
#ifndef HOURGLASS_TESTS_CONFORMANCE_POLICY_GENERATOR_H_
#define HOURGLASS_TESTS_CONFORMANCE_POLICY_GENERATOR_H_

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "issuance/access/compliance/compliance.h"
#include "issuance/access/evaluation.h"

namespace hourglass::access {

// The same sequence for the same seed.
class PolicyGenerator {
 public:
  explicit PolicyGenerator(unsigned seed) : random_(seed) {}

  ConditionalAccessPolicy Policy(const std::string& id);
  std::vector<ConditionalAccessPolicy> Policies(std::size_t most);
  std::vector<NamedLocation> Locations();
  AccessOptions Options();
  Facts AllFacts(Timestamp now);

  CompliancePolicy DevicePolicy(const std::string& id);
  ComplianceFacts DeviceReport(Timestamp now);

  std::mt19937& random() { return random_; }
  bool Chance(int percent) { return static_cast<int>(random_() % 100) < percent; }

 private:
  template <typename Value>
  Value OneOf(const std::vector<Value>& values) {
    return values[random_() % values.size()];
  }
  template <typename Value>
  std::vector<Value> Some(const std::vector<Value>& values, int percent) {
    std::vector<Value> some;
    for (const Value& value : values) {
      if (Chance(percent)) some.push_back(value);
    }
    return some;
  }
  template <typename Value>
  void Maybe(std::optional<Value>* fact, const std::vector<Value>& values) {
    if (Chance(75)) *fact = OneOf(values);
  }

  UserCondition Users();
  std::string Rule();
  void AddConditions(Conditions* conditions);
  GrantControls Grant();
  SessionControls Session();

  std::mt19937 random_;
};

// One for each fact: makes it not known.
std::vector<std::function<void(Facts*)>> FactRemovals();
std::vector<std::function<void(ComplianceFacts*)>> ComplianceFactRemovals();

}  // namespace hourglass::access

#endif  // HOURGLASS_TESTS_CONFORMANCE_POLICY_GENERATOR_H_
