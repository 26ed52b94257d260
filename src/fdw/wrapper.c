/*
 * wrapper.c
 *		Entry points of the library: magic block, _PG_init, and the handler that lists the callbacks.
 */
#include "fdw.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "../cluster/config_shmem.h"
#include "../compat.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(cbconn_fdw_handler);

void		_PG_init(void);

/*
 * Runs in the postmaster when the library is in shared_preload_libraries, so it opens and starts nothing (P1):
 * what a backend needs is made by its first remote access. All it asks for is shared memory.
 */
void
_PG_init(void)
{
	guc_init();
	config_shmem_init();
	MarkGUCPrefixReserved("cbconn_fdw");
}

/* HANDLER of the foreign-data wrapper. */
Datum
cbconn_fdw_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	/* planning */
	routine->GetForeignRelSize = cbconnGetForeignRelSize;
	routine->GetForeignPaths = cbconnGetForeignPaths;
	routine->GetForeignPlan = cbconnGetForeignPlan;
	routine->GetForeignRowMarkType = cbconnGetForeignRowMarkType;

	/* scanning */
	routine->BeginForeignScan = cbconnBeginForeignScan;
	routine->IterateForeignScan = cbconnIterateForeignScan;
	routine->ReScanForeignScan = cbconnReScanForeignScan;
	routine->EndForeignScan = cbconnEndForeignScan;
	routine->ShutdownForeignScan = cbconnShutdownForeignScan;

	/* parallel scans */
	routine->IsForeignScanParallelSafe = cbconnIsForeignScanParallelSafe;
	routine->EstimateDSMForeignScan = cbconnEstimateDSMForeignScan;
	routine->InitializeDSMForeignScan = cbconnInitializeDSMForeignScan;
	routine->ReInitializeDSMForeignScan = cbconnReInitializeDSMForeignScan;
	routine->InitializeWorkerForeignScan = cbconnInitializeWorkerForeignScan;

	/* writing */
	routine->AddForeignUpdateTargets = cbconnAddForeignUpdateTargets;
	routine->PlanForeignModify = cbconnPlanForeignModify;
	routine->IsForeignRelUpdatable = cbconnIsForeignRelUpdatable;
	routine->BeginForeignModify = cbconnBeginForeignModify;
	routine->ExecForeignInsert = cbconnExecForeignInsert;
	routine->ExecForeignUpdate = cbconnExecForeignUpdate;
	routine->ExecForeignDelete = cbconnExecForeignDelete;
	routine->EndForeignModify = cbconnEndForeignModify;
	routine->GetForeignModifyBatchSize = cbconnGetForeignModifyBatchSize;
	routine->ExecForeignBatchInsert = cbconnExecForeignBatchInsert;
	routine->BeginForeignInsert = cbconnBeginForeignInsert;
	routine->EndForeignInsert = cbconnEndForeignInsert;
	routine->ExecForeignTruncate = cbconnExecForeignTruncate;
	routine->ExplainForeignModify = cbconnExplainForeignModify;

	/* showing and sampling */
	routine->ExplainForeignScan = cbconnExplainForeignScan;
	routine->AnalyzeForeignTable = cbconnAnalyzeForeignTable;

	PG_RETURN_POINTER(routine);
}
