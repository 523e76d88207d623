/* An auditing library of the dynamic loader (rtld-audit(7)) that hides AVX-512, AVX-VNNI and AMX from the programs it is loaded
 * into. cpuid cannot be trapped by an ordinary process, so each cpuid instruction of the objects listed in CPUID_PLACES is replaced,
 * before any of their code runs, with a breakpoint, and the handler of the breakpoint executes the instruction and clears bits of
 * its result. What the program then computes is what this processor computes with its AVX2 kernels: nothing is emulated.
 *
 * CPUID_PLACES names a text file with one `OFFSET PATH` a line: OFFSET in hexadecimal, from where the object's lowest address is
 * mapped. tools/avx2_only/run writes it. */
#define _GNU_SOURCE
#include <cpuid.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

/* Intel's manual, volume 2, CPUID: bits of leaf 7, subleaf 0. */
static const uint32_t kAvx512Ebx = 1u << 16 | 1u << 17 | 1u << 21 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 30 | 1u << 31;
static const uint32_t kAvx512Ecx = 1u << 1 | 1u << 6 | 1u << 11 | 1u << 12 | 1u << 14;
static const uint32_t kAvx512AmxEdx = 1u << 2 | 1u << 3 | 1u << 8 | 1u << 22 | 1u << 23 | 1u << 24 | 1u << 25;

static const unsigned char kCpuid[2] = {0x0f, 0xa2};
static const unsigned char kBreakpointAndNop[2] = {0xcc, 0x90};

static void answer_cpuid(int signal_number, siginfo_t* info, void* context) {
  (void)signal_number;
  (void)info;
  greg_t* const registers = ((ucontext_t*)context)->uc_mcontext.gregs;
  const uint32_t leaf = (uint32_t)registers[REG_RAX];
  const uint32_t subleaf = (uint32_t)registers[REG_RCX];
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  __cpuid_count(leaf, subleaf, eax, ebx, ecx, edx);
  if (leaf == 7 && subleaf == 0) {
    eax = 0; /* no further subleaves: AVX-VNNI is in subleaf 1 */
    ebx &= ~kAvx512Ebx;
    ecx &= ~kAvx512Ecx;
    edx &= ~kAvx512AmxEdx;
  } else if (leaf == 7) {
    eax = ebx = ecx = edx = 0;
  }
  registers[REG_RAX] = eax;
  registers[REG_RBX] = ebx;
  registers[REG_RCX] = ecx;
  registers[REG_RDX] = edx;
}

static void fail(const char* what, const char* path) {
  fprintf(stderr, "avx2_only: %s: %s\n", path, what);
  _exit(125);
}

static void replace(unsigned char* place, const char* path) {
  const uintptr_t page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
  const uintptr_t first = (uintptr_t)place & ~(page_size - 1);
  const uintptr_t last = ((uintptr_t)place + 1) & ~(page_size - 1);
  void* const pages = (void*)first;
  const size_t length = last - first + page_size;
  if (memcmp(place, kBreakpointAndNop, 2) == 0) return;
  if (memcmp(place, kCpuid, 2) != 0) fail("no cpuid instruction where the list has one; the file changed", path);
  if (mprotect(pages, length, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) fail("its code cannot be written", path);
  memcpy(place, kBreakpointAndNop, 2);
  if (mprotect(pages, length, PROT_READ | PROT_EXEC) != 0) fail("its code cannot be protected again", path);
}

unsigned int la_version(unsigned int version) {
  struct sigaction action = {.sa_sigaction = answer_cpuid, .sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER};
  sigaction(SIGTRAP, &action, NULL);
  return version;
}

unsigned int la_objopen(struct link_map* object, Lmid_t namespace_id, uintptr_t* cookie) {
  (void)namespace_id;
  (void)cookie;
  char path[PATH_MAX];
  /* The program itself has no name here. */
  if (realpath(object->l_name[0] != '\0' ? object->l_name : "/proc/self/exe", path) == NULL) return 0;
  const char* const list_name = getenv("CPUID_PLACES");
  FILE* const list = list_name == NULL ? NULL : fopen(list_name, "r");
  if (list == NULL) fail("CPUID_PLACES names no readable file", list_name == NULL ? "environment" : list_name);
  char line[PATH_MAX + 32];
  while (fgets(line, sizeof line, list) != NULL) {
    char* rest = NULL;
    const unsigned long offset = strtoul(line, &rest, 16);
    rest[strcspn(rest, "\n")] = '\0';
    if (strcmp(rest + 1, path) == 0) replace((unsigned char*)object->l_addr + offset, path);
  }
  fclose(list);
  return 0; /* no interest in the object's bindings */
}
