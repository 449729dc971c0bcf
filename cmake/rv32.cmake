# SPDX-License-Identifier: Apache-2.0
# Toolchain file: RV32IMAC, Debian's gcc-riscv64-unknown-elf and picolibc.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv32)
set(CMAKE_C_COMPILER riscv64-unknown-elf-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_C_FLAGS_INIT "-march=rv32imac -mabi=ilp32 -msave-restore --specs=picolibc.specs")
set(CMAKE_ASM_COMPILER riscv64-unknown-elf-gcc)
set(CMAKE_ASM_FLAGS_INIT "-march=rv32imac -mabi=ilp32")
