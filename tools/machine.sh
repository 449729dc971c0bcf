# SPDX-License-Identifier: Apache-2.0
# The boards that QEMU emulates, for world.sh. Source it.
#
#   machine_kinds                     the boards that there are
#   machine_command KIND ELF IMAGE    sets the array $machine_command: the emulator's command line,
#                                     console on standard input and output
# An emulated board reaches this machine's loopback interface as 10.0.2.2, and answers nobody.
# shellcheck shell=bash

machine_kinds="mps2 virt"
machine_host=10.0.2.2
machine_nic=user,id=net   # where the cable leads; its id is "net"
machine_address=10.0.2.15 # what the emulator's DHCP gives

machine_firmware() { # KIND FOLDER: the file below the folder of the build trees
    case $1 in
    mps2) echo "${AG_FIRMWARE_MPS2:-$2/arm/airgraft-mps2.elf}" ;;
    virt) echo "$2/rv32/airgraft-virt.elf" ;;
    esac
}

machine_emulator() { # KIND
    case $1 in
    mps2) echo qemu-system-arm ;;
    virt) echo qemu-system-riscv32 ;;
    esac
}

# Semihosting gives mps2 what it lacks, entropy and a clock; virt has both. No board is told anything else.
machine_command() {
    local common=(-display none -monitor none -serial stdio
        -semihosting-config "enable=on,target=native")
    case $1 in
    mps2)
        machine_command=("$(machine_emulator "$1")"
            -machine mps2-an385,memory-backend=flash
            -object "memory-backend-file,id=flash,size=16M,mem-path=$3,share=on"
            -nic "$machine_nic,model=lan9118" -kernel "$2" "${common[@]}")
        ;;
    virt)
        machine_command=("$(machine_emulator "$1")" -machine virt -cpu rv32 -bios none
            -object "memory-backend-file,id=flash,size=16M,mem-path=$3,share=on"
            -device "ivshmem-plain,memdev=flash" -global virtio-mmio.force-legacy=false
            -netdev "$machine_nic" -device "virtio-net-device,netdev=net" -device virtio-rng-device
            -kernel "$2" "${common[@]}")
        ;;
    esac
}
