#include "quantsearch/base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

/// The pool that a thread works for, and its number among the workers of that pool.
struct CurrentWorker {
  const void* pool = nullptr;
  int number = 0;
};
// Set on the workers of a pool and on a caller inside parallel_for. A nested call on the same pool
// runs inline under the same number. A nested call on another pool runs inline too, as worker 0 of
// that pool, because waiting for that pool could mean waiting for this thread itself.
thread_local std::optional<CurrentWorker> current_worker;

struct Job {
  std::int64_t count = 0;
  const std::function<void(std::int64_t, int)>* body = nullptr;
  const CancellationToken* token = nullptr;
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> stopped{false};
  std::mutex mutex;
  std::int64_t failed_index = 0;
  std::exception_ptr failure;

  void fail(std::int64_t index, std::exception_ptr error) {
    const std::lock_guard lock(mutex);
    stopped = true;
    if (!failure || index < failed_index) {
      failed_index = index;
      failure = std::move(error);
    }
  }

  void work(int worker) {
    while (!stopped.load(std::memory_order_relaxed)) {
      const std::int64_t index = next.fetch_add(1);
      if (index >= count) return;
      try {
        token->throw_if_cancelled();
        (*body)(index, worker);
      } catch (...) {
        fail(index, std::current_exception());
      }
    }
  }
};

}  // namespace

struct ThreadPool::State {
  int threads = 1;
  std::mutex calls;  // one parallel_for at a time
  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable done;
  Job* job = nullptr;
  std::uint64_t generation = 0;
  int busy = 0;
  bool quit = false;
  std::vector<std::jthread> workers;

  void worker_loop(int worker) {
    current_worker = CurrentWorker{.pool = this, .number = worker};
    std::uint64_t seen = 0;
    std::unique_lock lock(mutex);
    while (true) {
      wake.wait(lock, [&] { return quit || generation != seen; });
      if (quit) return;
      seen = generation;
      Job* const mine = job;
      lock.unlock();
      mine->work(worker);
      lock.lock();
      if (--busy == 0) done.notify_one();
    }
  }

  void run(Job& work) {
    const std::lock_guard one_call(calls);
    {
      const std::lock_guard lock(mutex);
      job = &work;
      busy = static_cast<int>(workers.size());
      ++generation;
    }
    wake.notify_all();
    current_worker = CurrentWorker{.pool = this, .number = 0};
    work.work(0);
    current_worker.reset();
    std::unique_lock lock(mutex);
    done.wait(lock, [&] { return busy == 0; });
    job = nullptr;
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  if (threads < 0) throw InvalidInput("thread pool: threads must not be negative");
  if (threads == 0) threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  state_->threads = threads;
  for (int worker = 1; worker < threads; ++worker) {
    state_->workers.emplace_back([state = state_.get(), worker] { state->worker_loop(worker); });
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->quit = true;
  }
  state_->wake.notify_all();
}

int ThreadPool::threads() const noexcept { return state_->threads; }

void ThreadPool::parallel_for(std::int64_t count,
                              const std::function<void(std::int64_t index, int worker)>& body,
                              const CancellationToken& token) {
  Job job;
  job.count = count;
  job.body = &body;
  job.token = &token;
  if (current_worker) {
    job.work(current_worker->pool == state_.get() ? current_worker->number : 0);
  } else if (state_->workers.empty() || count <= 1) {
    job.work(0);
  } else {
    state_->run(job);
  }
  if (job.failure) std::rethrow_exception(job.failure);
}

}  // namespace quantsearch
