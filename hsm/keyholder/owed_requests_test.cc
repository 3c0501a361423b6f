#include "hsm/keyholder/owed_requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "hsm/keyholder/protocol/protocol.h"

namespace hourglass::hsm {
namespace {

using std::chrono::seconds;
using ::testing::SizeIs;

constexpr SteadyTime kNow{std::chrono::hours(1)};

Debt MakeDebt(std::uint64_t id, Debt::Kind kind, SteadyTime due) {
  Debt debt;
  debt.id = id;
  debt.kind = kind;
  debt.due = due;
  debt.timeout = seconds(2);
  return debt;
}

Debt MakeOther(std::uint64_t id, keyholder::Request request) {
  Debt debt = MakeDebt(id, Debt::Kind::kOther, kNow + seconds(2));
  debt.administers = IsAdministrative(request);
  debt.work.calls.push_back(std::make_shared<Call>(
      std::move(request), seconds(2), std::make_shared<Unanswered>(1, SteadyTime::max())));
  return debt;
}

TEST(OwedRequestsTest, AnAnswerSettlesTheRequestOfItsId) {
  OwedRequests owed;
  EXPECT_TRUE(owed.empty());
  owed.Add(MakeDebt(1, Debt::Kind::kTest, kNow));
  owed.Add(MakeDebt(2, Debt::Kind::kSignatures, kNow));
  EXPECT_FALSE(owed.Take(3).has_value());
  EXPECT_EQ(owed.Take(2)->kind, Debt::Kind::kSignatures);
  EXPECT_FALSE(owed.Take(2).has_value());
  EXPECT_FALSE(owed.empty());
  EXPECT_THAT(owed.TakeAll(), SizeIs(1));
  EXPECT_TRUE(owed.empty());
}

TEST(OwedRequestsTest, TellsWhatTheWorkerHasRoomFor) {
  OwedRequests owed;
  CallQueue::Standing standing = owed.Standing(2);
  EXPECT_EQ(standing.outstanding, 0);
  EXPECT_TRUE(standing.others && standing.lists && standing.administers);
  EXPECT_FALSE(owed.HasSlowOne());

  owed.Add(MakeDebt(1, Debt::Kind::kSignatures, kNow));
  keyholder::Request generation;
  generation.mutable_generate();
  owed.Add(MakeOther(2, std::move(generation)));
  standing = owed.Standing(2);
  EXPECT_EQ(standing.outstanding, 1);
  EXPECT_EQ(standing.long_calls, 1);
  EXPECT_TRUE(standing.others && standing.lists);
  EXPECT_FALSE(standing.administers);
  EXPECT_FALSE(owed.HasSlowOne());

  keyholder::Request destruction;
  destruction.mutable_destroy();
  owed.Add(MakeOther(3, std::move(destruction)));
  keyholder::Request list;
  list.mutable_list();
  owed.Add(MakeOther(4, std::move(list)));
  standing = owed.Standing(2);
  EXPECT_EQ(standing.outstanding, 2);
  EXPECT_EQ(standing.long_calls, 1);
  EXPECT_FALSE(standing.others || standing.lists);
  EXPECT_TRUE(owed.HasSlowOne());
}

TEST(OwedRequestsTest, WhoeverIsDueFirstTellsWhetherTheWorkerHangs) {
  OwedRequests owed;
  EXPECT_EQ(owed.DueFirst(), nullptr);
  owed.Add(MakeDebt(1, Debt::Kind::kSignatures, kNow + seconds(3)));
  owed.Add(MakeDebt(2, Debt::Kind::kSignatures, kNow + seconds(1)));
  EXPECT_EQ(owed.DueFirst()->id, 2u);
}

TEST(OwedRequestsTest, TimeRunsFromWhenTheWorkerBegins) {
  OwedRequests owed;
  owed.Add(MakeDebt(1, Debt::Kind::kSignatures, kNow + seconds(1)));
  owed.BeginNext(kNow);
  EXPECT_EQ(owed.DueFirst()->due, kNow + seconds(2));
  // Never sooner than it was.
  owed.BeginNext(kNow - seconds(1));
  EXPECT_EQ(owed.DueFirst()->due, kNow + seconds(2));
  // What makes keys has its own thread, and its own time.
  keyholder::Request generation;
  generation.mutable_generate();
  owed.Add(MakeOther(2, std::move(generation)));
  owed.BeginNext(kNow + seconds(1));
  EXPECT_EQ(owed.DueFirst()->id, 2u);
  EXPECT_EQ(owed.DueFirst()->due, kNow + seconds(2));
}

TEST(OwedRequestsTest, AReplyHoldsASignatureOrAnErrorForEachDigest) {
  Debt debt = MakeDebt(1, Debt::Kind::kSignatures, kNow);
  for (int i = 0; i < 2; ++i) {
    debt.work.calls.push_back(std::make_shared<Call>(
        std::string(32, 'x'), std::make_shared<Unanswered>(1, SteadyTime::max())));
  }
  keyholder::Reply reply;
  EXPECT_FALSE(IsWhole(debt, reply));
  reply.set_unfinished(true);
  EXPECT_FALSE(IsWhole(debt, reply));
  reply.add_signatures()->set_octets(std::string(1024, 'x'));
  EXPECT_TRUE(IsWhole(debt, reply));
  reply.set_unfinished(false);
  EXPECT_FALSE(IsWhole(debt, reply));
  reply.add_signatures()->mutable_failure();
  EXPECT_TRUE(IsWhole(debt, reply));
  reply.mutable_signatures(0)->set_octets(std::string(1025, 'x'));
  EXPECT_FALSE(IsWhole(debt, reply));
  reply.mutable_signatures(0)->clear_octets();
  EXPECT_FALSE(IsWhole(debt, reply));
  reply.mutable_signatures(0)->set_octets("x");
  reply.add_signatures()->set_octets("x");
  EXPECT_FALSE(IsWhole(debt, reply));
}

TEST(OwedRequestsTest, OnlySignaturesAreOverdue) {
  OwedRequests owed;
  Debt test = MakeDebt(1, Debt::Kind::kTest, kNow);
  test.work.overdue_at = kNow;
  owed.Add(std::move(test));
  EXPECT_EQ(owed.SignaturesOverdueAt(), SteadyTime::max());
  Debt late = MakeDebt(2, Debt::Kind::kSignatures, kNow);
  late.work.overdue_at = kNow + seconds(2);
  owed.Add(std::move(late));
  Debt early = MakeDebt(3, Debt::Kind::kSignatures, kNow);
  early.work.overdue_at = kNow + seconds(1);
  owed.Add(std::move(early));
  EXPECT_EQ(owed.SignaturesOverdueAt(), kNow + seconds(1));
}

}  // namespace
}  // namespace hourglass::hsm
