#include "hsm/pkcs11/session_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "hsm/base/error.h"
#include "hsm/pkcs11/module.h"
#include "hsm/pkcs11/return_code.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::hsm {
namespace {

using testing::Contains;
using testing::Pair;
using Access = SessionPool::Access;

const SofthsmToken& Softhsm() {
  static const SofthsmToken softhsm;
  return softhsm;
}

TokenUri Token() { return *ParseTokenUri(Softhsm().Uri()); }

absl::Status Fine(Session&) { return absl::OkStatus(); }

// The handle of the session that the pool gives next.
CK_SESSION_HANDLE NextSession(SessionPool& pool) {
  CK_SESSION_HANDLE handle = CK_INVALID_HANDLE;
  EXPECT_OK(pool.Use(Access::kRead, [&](Session& session) {
    handle = session.handle;
    return absl::OkStatus();
  }));
  return handle;
}

TEST(SessionPoolTest, LogsInAndKeepsASessionForTheNextUse) {
  SessionPool pool(Token(), {});
  CK_SESSION_INFO info = {};
  ASSERT_OK(pool.Use(Access::kRead, [&](Session& session) {
    EXPECT_EQ(session.api.C_GetSessionInfo(session.handle, &info), CKR_OK);
    return absl::OkStatus();
  }));
  EXPECT_EQ(info.state, CKS_RO_USER_FUNCTIONS);
  EXPECT_EQ(NextSession(pool), NextSession(pool));
}

TEST(SessionPoolTest, AWritableSessionIsWritableAndForOneUse) {
  SessionPool pool(Token(), {.sessions = 1});
  const CK_SESSION_HANDLE idle = NextSession(pool);
  CK_SESSION_INFO info = {};
  // It takes the place of the idle one, and leaves it free again.
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK(pool.Use(Access::kWrite, [&](Session& session) {
      EXPECT_EQ(session.api.C_GetSessionInfo(session.handle, &info), CKR_OK);
      return absl::OkStatus();
    }));
    EXPECT_EQ(info.state, CKS_RW_USER_FUNCTIONS);
  }
  EXPECT_NE(NextSession(pool), idle);
}

TEST(SessionPoolTest, AnErrorOfTheTokenDropsTheSession) {
  SessionPool pool(Token(), {});
  const CK_SESSION_HANDLE first = NextSession(pool);
  EXPECT_THAT(pool.Use(Access::kRead,
                       [](Session& session) {
                         return Error(ErrorReason::kKeyNotFound, session.field, "none");
                       }),
              FailsWith(ErrorReason::kKeyNotFound));
  EXPECT_EQ(NextSession(pool), first);
  EXPECT_THAT(pool.Use(Access::kRead,
                       [](Session& session) {
                         return Pkcs11Error(session.field, "C_Sign", CKR_DATA_LEN_RANGE);
                       }),
              FailsWith(ErrorReason::kKeyUnavailable));
  EXPECT_NE(NextSession(pool), first);
}

TEST(SessionPoolTest, WhatOneSessionLeftUndoneDoesNotReachTheNext) {
  SessionPool pool(Token(), {.sessions = 1});
  const auto begin_search = [](Session& session) -> absl::Status {
    const CK_RV code = session.api.C_FindObjectsInit(session.handle, nullptr, 0);
    if (code != CKR_OK) return Pkcs11Error(session.field, "C_FindObjectsInit", code);
    return Pkcs11Error(session.field, "C_FindObjects", CKR_HOST_MEMORY);
  };
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ReturnCodeOf(pool.Use(Access::kRead, begin_search)), CKR_HOST_MEMORY);
  }
}

TEST(SessionPoolTest, RetriesOnceAndOnlyWhatARetryMayMend) {
  SessionPool pool(Token(), {});
  for (const auto& [code, runs] : {std::pair<CK_RV, size_t>{CKR_OPERATION_ACTIVE, 2},
                                   {CKR_SESSION_HANDLE_INVALID, 2},
                                   {CKR_OBJECT_HANDLE_INVALID, 2},
                                   {CKR_GENERAL_ERROR, 1},
                                   {CKR_PIN_INCORRECT, 1},
                                   {CKR_MECHANISM_INVALID, 1}}) {
    std::vector<CK_SESSION_HANDLE> used;
    const absl::Status status = pool.Use(Access::kRead, [&, code = code](Session& session) {
      used.push_back(session.handle);
      return Pkcs11Error(session.field, "C_Sign", code);
    });
    EXPECT_EQ(ReturnCodeOf(status), code);
    EXPECT_EQ(used.size(), runs) << ReturnCodeName(code);
    // Never the same session twice.
    EXPECT_EQ(std::set(used.begin(), used.end()).size(), runs) << ReturnCodeName(code);
  }
  bool failed = false;
  EXPECT_OK(pool.Use(Access::kRead, [&](Session& session) {
    const bool fail_now = !failed;
    failed = true;
    return fail_now ? Pkcs11Error(session.field, "C_Sign", CKR_SESSION_CLOSED) : absl::OkStatus();
  }));
}

TEST(SessionPoolTest, IdleSessionsThatTheTokenClosedAreNotInTheWay) {
  SessionPool pool(Token(), {});
  const auto sign_of_life = [](Session& session) -> absl::Status {
    CK_SESSION_INFO info;
    const CK_RV code = session.api.C_GetSessionInfo(session.handle, &info);
    if (code != CKR_OK) return Pkcs11Error(session.field, "C_GetSessionInfo", code);
    return absl::OkStatus();
  };
  std::vector<CK_SESSION_HANDLE> idle;
  ASSERT_OK(pool.Use(Access::kRead, [&](Session& first) {
    idle.push_back(first.handle);
    return pool.Use(Access::kRead, [&](Session& second) {
      idle.push_back(second.handle);
      return pool.Use(Access::kRead, [&](Session& third) {
        idle.push_back(third.handle);
        return sign_of_life(third);
      });
    });
  }));
  ASSERT_OK_AND_ASSIGN(Module* const module, Module::Load(Token()));
  for (const CK_SESSION_HANDLE handle : idle) module->CloseSession(handle);
  EXPECT_OK(pool.Use(Access::kRead, sign_of_life));
  EXPECT_OK(pool.Use(Access::kRead, sign_of_life));
}

// After a loss the number of an old session may be that of a new one.
TEST(SessionPoolTest, ASessionFromBeforeALossIsNotClosed) {
  SessionPool pool(Token(), {});
  CK_SESSION_HANDLE old = CK_INVALID_HANDLE;
  ASSERT_OK(pool.Use(Access::kRead, [&](Session& session) {
    old = session.handle;
    EXPECT_FALSE(pool.Use(Access::kRead,
                          [](Session& lost) {
                            return Pkcs11Error(lost.field, "C_Sign", CKR_SESSION_HANDLE_INVALID);
                          })
                     .ok());
    return absl::OkStatus();
  }));
  ASSERT_OK_AND_ASSIGN(Module* const module, Module::Load(Token()));
  CK_SESSION_INFO info;
  EXPECT_EQ(module->api().C_GetSessionInfo(old, &info), CKR_OK);
  EXPECT_NE(NextSession(pool), old);
  module->CloseSession(old);
}

TEST(SessionPoolTest, ADroppedSessionMakesRoomForAnother) {
  SessionPool pool(Token(), {.sessions = 1, .wait = std::chrono::milliseconds(1)});
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(pool.Use(Access::kRead,
                          [](Session& session) {
                            return Pkcs11Error(session.field, "C_Sign", CKR_DEVICE_ERROR);
                          })
                     .ok());
  }
  EXPECT_OK(pool.Use(Access::kRead, Fine));
}

TEST(SessionPoolTest, NoMoreThanTheBoundAtOnce) {
  SessionPool pool(Token(), {.sessions = 2, .wait = std::chrono::milliseconds(1)});
  ASSERT_OK(pool.Use(Access::kRead, [&](Session& first) {
    return pool.Use(Access::kWrite, [&](Session& second) {
      EXPECT_NE(first.handle, second.handle);
      EXPECT_THAT(pool.Use(Access::kRead, Fine), FailsWith(ErrorReason::kKeyUnavailable));
      return absl::OkStatus();
    });
  }));
  EXPECT_OK(pool.Use(Access::kRead, Fine));
}

// Of several who wait for the one session, none waits longer than the one before it takes to fail.
TEST(SessionPoolTest, AFailedLoginWakesTheNext) {
  TokenUri token = Token();
  const TemporaryDirectory directory;
  token.pin_source.name = directory.Write("pin", ReadFileOrDie(token.pin_source.name));
  SessionPool pool(token, {.sessions = 1, .wait = std::chrono::hours(1)});
  std::vector<std::thread> waiting;
  std::atomic<int> begun = 0;
  ASSERT_FALSE(pool.Use(Access::kRead,
                        [&](Session& session) {
                          while (waiting.size() < 4) {
                            waiting.emplace_back([&] {
                              ++begun;
                              EXPECT_THAT(pool.Use(Access::kRead, Fine),
                                          FailsWith(ErrorReason::kKeyUnavailable));
                            });
                          }
                          // Time to begin waiting; who comes later fails at once, as it should.
                          for (int i = 0; begun < 4 || i < 10'000; ++i) std::this_thread::yield();
                          EXPECT_EQ(session.api.C_Logout(session.handle), CKR_OK);
                          std::filesystem::remove(token.pin_source.name);
                          return Pkcs11Error(session.field, "C_Sign", CKR_USER_NOT_LOGGED_IN);
                        })
                   .ok());
  for (std::thread& thread : waiting) thread.join();
}

void MustRun(const std::vector<std::string>& command) {
  const CommandResult result = RunCommand(command);
  ASSERT_EQ(result.exit_code, 0) << result.output;
}

// The pool looks for the slot again even where it has no session left whose loss would tell it.
TEST(SessionPoolTest, ATokenThatComesBackInAnotherSlotIsFound) {
  SessionPool pool(Token(), {});
  ASSERT_FALSE(pool.Use(Access::kRead,
                        [](Session& session) {
                          return Pkcs11Error(session.field, "C_Sign", CKR_HOST_MEMORY);
                        })
                   .ok());
  ASSERT_OK_AND_ASSIGN(Module* const module, Module::Load(Token()));
  ASSERT_OK_AND_ASSIGN(const CK_SLOT_ID before, module->FindSlot(Token()));
  ASSERT_EQ(module->api().C_Finalize(nullptr), CKR_OK);
  MustRun({"softhsm2-util", "--delete-token", "--token", "hourglass"});
  MustRun({"softhsm2-util", "--init-token", "--free", "--label", "hourglass", "--so-pin",
           "97531086", "--pin", Softhsm().pin()});
  CK_C_INITIALIZE_ARGS arguments = {};
  arguments.flags = CKF_OS_LOCKING_OK;
  ASSERT_EQ(module->api().C_Initialize(&arguments), CKR_OK);
  ASSERT_OK_AND_ASSIGN(const CK_SLOT_ID after, module->FindSlot(Token()));
  ASSERT_NE(before, after);
  EXPECT_OK(pool.Use(Access::kRead, Fine));
  EXPECT_THAT(pool.Status().errors, Contains(Pair("CKR_SLOT_ID_INVALID", 1)));
}

TEST(SessionPoolTest, EachUserHasASessionOfItsOwn) {
  SessionPool pool(Token(), {.sessions = 3, .wait = std::chrono::minutes(1)});
  std::atomic<int> in_use = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 200; ++j) {
        EXPECT_OK(pool.Use(Access::kRead, [&](Session&) {
          EXPECT_LE(++in_use, 3);
          std::this_thread::yield();
          --in_use;
          return absl::OkStatus();
        }));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace hourglass::hsm
